//! The options after a command: few enough to be read without a library.

use anyhow::{Context, bail};

#[derive(Debug)]
pub(crate) struct Options(Vec<String>);

impl Options {
    pub(crate) fn new(arguments: Vec<String>) -> Options {
        Options(arguments)
    }

    /// Whether an option without a value is there; takes it out.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|argument| argument != name);
        self.0.len() < before
    }

    /// Takes out `NAME VALUE` or `NAME=VALUE`.
    pub(crate) fn value(&mut self, name: &str) -> anyhow::Result<Option<String>> {
        let joined = |argument: &String| {
            argument.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        let Some(at) = self.0.iter().position(joined) else { return Ok(None) };
        let argument = self.0.remove(at);
        if let Some((_, value)) = argument.split_once('=') {
            return Ok(Some(value.to_owned()));
        }
        if at == self.0.len() {
            bail!("{name} needs a value");
        }
        Ok(Some(self.0.remove(at)))
    }

    pub(crate) fn number<N: std::str::FromStr>(&mut self, name: &str) -> anyhow::Result<Option<N>> {
        let Some(text) = self.value(name)? else { return Ok(None) };
        let number = text.parse().ok().with_context(|| format!("{name} {text} is not a number it can be"))?;
        Ok(Some(number))
    }

    /// What nobody took, for another program.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some(unknown) => bail!("there is no option '{unknown}'; see `cargo xtask --help`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_in_any_order_and_form() {
        let options = |text: &str| Options::new(text.split_whitespace().map(str::to_owned).collect());
        let mut given = options("--once --port 9000");
        assert_eq!(given.number("--port").unwrap(), Some(9000_u16));
        assert!(given.flag("--once") && !given.flag("--once"));
        given.finish().unwrap();
        assert_eq!(options("--port=7").number::<u16>("--port").unwrap(), Some(7));
        assert!(options("--port").number::<u16>("--port").is_err());
        assert!(options("--port 99999").number::<u16>("--port").is_err());
        assert!(options("--ports").finish().is_err());
    }
}
