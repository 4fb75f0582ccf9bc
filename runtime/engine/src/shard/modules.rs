//! Task modules: names, versions and the digests behind them.

use asl::Timestamp;
use store::{Change, ModuleHead, ModuleRecord};

use crate::request::{PutModule, Refusal};

use super::{Missing, Shard};

impl Shard {
    pub(super) fn missing_module(&self, name: &str) -> Option<Missing> {
        (!self.modules.contains(&name.to_owned())).then(|| Missing::Module(name.to_owned()))
    }

    pub(super) fn put_module(&mut self, request: PutModule, now: Timestamp) -> Result<u32, Refusal> {
        let newest = self.modules.get(&request.name).and_then(Option::as_ref);
        if let Some((head, record)) = newest
            && *record.digest == *request.digest
            && record.manifest == request.manifest
        {
            return Ok(head.latest_version);
        }
        let head = ModuleHead { latest_version: newest.map_or(0, |(head, _)| head.latest_version) + 1 };
        let record = ModuleRecord {
            digest: request.digest.into(),
            size_bytes: request.size_bytes,
            exports: request.exports,
            created_at: now,
            description: None,
            manifest: request.manifest,
        };
        let name = request.name.as_str().into();
        self.batch.modules.insert((name, head.latest_version), Change::Put(record.clone()));
        self.batch.module_heads.insert(request.name.as_str().into(), Change::Put(head));
        self.modules.insert(request.name, Some((head, record)), self.generation);
        Ok(head.latest_version)
    }

    pub(super) fn delete_module(&mut self, name: String) -> Result<(), Refusal> {
        let Some(Some((head, _))) = self.modules.get(&name) else {
            return Err(Refusal::ModuleDoesNotExist { name });
        };
        for version in 1..=head.latest_version {
            self.batch.modules.insert((name.as_str().into(), version), Change::Delete);
        }
        self.batch.module_heads.insert(name.as_str().into(), Change::Delete);
        self.modules.insert(name, None, self.generation);
        Ok(())
    }
}
