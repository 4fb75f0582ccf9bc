//! A test case: answers that stand in for the tasks of an execution, in the order of their calls.

use std::collections::BTreeMap;

use crate::data::json::Data;
use crate::data::text::Text;
use crate::definition::Definition;

use super::alone::Mock;
use super::execution::RowId;
use super::history::ErrorOutput;
use super::stepper::Stepper;

/// The answers of each mocked state, by its name. States that are not named do their work.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    name: Text,
    /// None if nobody knows any more what the case said; then no task may do its work.
    states: Option<BTreeMap<Text, Answers>>,
}

/// What a state answers to which call, counted from 0 over all its attempts in one execution.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers(BTreeMap<u32, (u32, Mock)>);

impl Answers {
    /// The answer to the calls from `first` to `last`. False if one of them is answered already.
    pub fn add(&mut self, first: u32, last: u32, answer: Mock) -> bool {
        let before = self.0.range(..=last).next_back();
        if first > last || before.is_some_and(|(_, (end, _))| *end >= first) {
            return false;
        }
        self.0.insert(first, (last, answer));
        true
    }

    fn to(&self, number: u32) -> Option<&Mock> {
        let (_, (last, answer)) = self.0.range(..=number).next_back()?;
        (number <= *last).then_some(answer)
    }
}

impl TestCase {
    pub fn new(name: Text, states: BTreeMap<Text, Answers>) -> TestCase {
        TestCase { name, states: Some(states) }
    }

    /// A case that an execution was started with and that is gone since.
    pub fn lost(name: Text) -> TestCase {
        TestCase { name, states: None }
    }

    /// The first state that the case names and the machine doesn't have.
    pub fn unknown_state(&self, definition: &Definition) -> Option<&Text> {
        let is_there = |name: &Text| definition.states().any(|(_, state)| *state.name == **name);
        self.states.as_ref()?.keys().find(|name| !is_there(name))
    }

    fn answer(&self, state: &str, number: u32) -> Option<Result<Data, ErrorOutput>> {
        let name = &self.name;
        let failed = |cause: String| Some(Err(ErrorOutput::new("States.Runtime", cause)));
        let Some(states) = &self.states else {
            return failed(format!("The test case '{name}' is no longer in the mock configuration."));
        };
        match states.get(&Text::from(state))?.to(number) {
            Some(Mock::Result(result)) => Some(Ok(result.clone())),
            Some(Mock::Error(error)) => Some(Err(error.clone())),
            None => failed(format!(
                "The test case '{name}' has no answer to call {number} of the state '{state}'."
            )),
        }
    }
}

impl Stepper<'_> {
    /// The answer that stands in for the task about to be scheduled. Each is given once.
    pub(super) fn next_mocked(&mut self, row: RowId) -> Option<Result<Data, ErrorOutput>> {
        let case = self.state.test_case.clone()?;
        let id = self.state.thread(row)?.state;
        let counts = self.state.header.mocked.get_or_insert_default();
        let place = counts.iter().position(|(state, _)| *state == id);
        let number = place.map_or(0, |place| counts[place].1);
        let answer = case.answer(&self.definition.state(id).name, number);
        if answer.is_some() {
            match place {
                Some(place) => counts[place].1 += 1,
                None => counts.push((id, 1)),
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn result(number: u32) -> Mock {
        Mock::Result(Data::from(json!(number)))
    }

    #[test]
    fn answers_are_given_by_the_number_of_the_call() {
        let mut answers = Answers::default();
        assert!(answers.add(1, 3, result(1)) && answers.add(0, 0, result(0)) && answers.add(5, 5, result(5)));
        for (first, last) in [(0, 0), (3, 4), (2, 2), (0, 9), (6, 5)] {
            assert!(!answers.add(first, last, result(9)), "{first}-{last}");
        }
        let case = TestCase::new("c".into(), BTreeMap::from([("S".into(), answers)]));
        let value = |number| case.answer("S", number).unwrap().map(|data| data.text().to_owned());
        assert_eq!(
            [value(0), value(3), value(5)],
            [Ok("0".to_owned()), Ok("1".to_owned()), Ok("5".to_owned())]
        );
        let missing = value(4).unwrap_err();
        assert_eq!(missing.error.as_deref(), Some("States.Runtime"));
        assert!(missing.cause.unwrap().contains("no answer to call 4 of the state 'S'"));
        assert_eq!(case.answer("other", 0), None);
        assert!(TestCase::lost("c".into()).answer("other", 0).unwrap().is_err());
    }
}
