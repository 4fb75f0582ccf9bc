//! What the demo promises, each said when it was seen to be kept.

use anyhow::bail;

use crate::terminal::Terminal;

pub(super) struct Promises {
    terminal: Terminal,
    broken: usize,
}

impl Promises {
    pub(super) fn new(terminal: Terminal) -> Promises {
        Promises { terminal, broken: 0 }
    }

    pub(super) fn check(&mut self, promise: &str, is_kept: bool) {
        let mark = if is_kept { self.terminal.good("✓") } else { self.terminal.bad("✗ NOT KEPT:") };
        self.terminal.line(&format!("      {mark} {promise}"));
        self.broken += usize::from(!is_kept);
    }

    pub(super) fn finish(&self) -> anyhow::Result<()> {
        match self.broken {
            0 => Ok(()),
            broken => bail!("{broken} of the demo's promises were not kept"),
        }
    }
}
