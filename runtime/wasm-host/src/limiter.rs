//! Counts the memory and table elements of one call and refuses what goes beyond its limits.
//!
//! A refusal stops the guest at once, instead of letting `memory.grow` answer -1: most guests would then abort
//! with a trap that says nothing about memory. What was refused is kept, so that the failure can name it.

use wasmtime::ResourceLimiter;

/// The first thing that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    Memory { requested: usize },
    Table { requested: usize },
}

/// The account of one store.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_bytes_max: usize,
    table_elements_max: usize,
    memory_bytes: usize,
    table_elements: usize,
    /// What the last permitted growth added, in case it fails after all.
    pending_bytes: usize,
    pending_elements: usize,
    denial: Option<Denial>,
}

impl Limiter {
    pub(crate) fn new(memory_bytes_max: usize, table_elements_max: usize) -> Self {
        Self {
            memory_bytes_max,
            table_elements_max,
            memory_bytes: 0,
            table_elements: 0,
            pending_bytes: 0,
            pending_elements: 0,
            denial: None,
        }
    }

    pub(crate) fn denial(&self) -> Option<Denial> {
        self.denial
    }

    pub(crate) fn memory_bytes_max(&self) -> usize {
        self.memory_bytes_max
    }

    pub(crate) fn table_elements_max(&self) -> usize {
        self.table_elements_max
    }

    /// Linear memory never shrinks, so what there is now is the most there was.
    pub(crate) fn memory_bytes_peak(&self) -> usize {
        self.memory_bytes
    }

    fn deny(&mut self, denial: Denial) -> wasmtime::Error {
        self.denial.get_or_insert(denial);
        wasmtime::format_err!("{denial:?} is over the limit")
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let added = desired.saturating_sub(current);
        let requested = self.memory_bytes.saturating_add(added);
        // The module's own maximum comes first: beyond it, `memory.grow` fails by the rules of the language. The
        // engine's maximum (the size of a pool slot) arrives in the same argument, but is never below our limit.
        if maximum.is_some_and(|maximum| desired > maximum && maximum < self.memory_bytes_max) {
            return Ok(false);
        }
        if requested > self.memory_bytes_max {
            return Err(self.deny(Denial::Memory { requested }));
        }
        self.memory_bytes = requested;
        self.pending_bytes = added;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_bytes -= std::mem::take(&mut self.pending_bytes);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let added = desired.saturating_sub(current);
        let requested = self.table_elements.saturating_add(added);
        if maximum.is_some_and(|maximum| desired > maximum && maximum < self.table_elements_max) {
            return Ok(false);
        }
        if requested > self.table_elements_max {
            return Err(self.deny(Denial::Table { requested }));
        }
        self.table_elements = requested;
        self.pending_elements = added;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.table_elements -= std::mem::take(&mut self.pending_elements);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 65_536;

    #[test]
    fn memories_share_one_limit() {
        let mut limiter = Limiter::new(3 * PAGE, 10);
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        assert!(limiter.memory_growing(0, PAGE, None).unwrap());
        assert!(limiter.memory_growing(2 * PAGE, 3 * PAGE, None).is_err());
        assert_eq!(limiter.denial(), Some(Denial::Memory { requested: 4 * PAGE }));
        assert_eq!(limiter.memory_bytes_peak(), 3 * PAGE);
    }

    #[test]
    fn growth_that_fails_is_not_counted() {
        let mut limiter = Limiter::new(2 * PAGE, 10);
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        limiter.memory_grow_failed(wasmtime::format_err!("no memory")).unwrap();
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        assert_eq!(limiter.denial(), None);
    }

    #[test]
    fn growth_beyond_the_modules_own_maximum_is_no_denial() {
        let mut limiter = Limiter::new(8 * PAGE, 10);
        assert!(!limiter.memory_growing(PAGE, 3 * PAGE, Some(2 * PAGE)).unwrap());
        assert_eq!(limiter.denial(), None);
    }

    #[test]
    fn tables_share_one_limit() {
        let mut limiter = Limiter::new(PAGE, 10);
        assert!(limiter.table_growing(0, 6, None).unwrap());
        assert!(limiter.table_growing(0, 5, None).is_err());
        assert_eq!(limiter.denial(), Some(Denial::Table { requested: 11 }));
    }
}
