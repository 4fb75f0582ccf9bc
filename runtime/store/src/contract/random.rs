//! Random batches against the model, which is the store in memory.

use crate::{MemoryStore, Store};

use super::compare::assert_same_answers;
use super::generate::Generator;

const BATCHES: usize = 40;
const SEED: u64 = 20_240_901;

pub async fn random_batches_agree_with_the_model(store: &impl Store) {
    let model = MemoryStore::default();
    let mut generator = Generator::new(SEED);
    for number in 0..BATCHES {
        let batch = generator.batch(number % 30);
        model.commit(batch.clone()).await.expect("the model takes every batch");
        store.commit(batch).await.expect("committed");
        if number % 4 == 0 {
            assert_same_answers(store, &model, &generator).await;
        }
    }
    assert_same_answers(store, &model, &generator).await;
}
