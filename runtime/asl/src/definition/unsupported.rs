//! What a valid definition uses that this engine cannot run yet.

use crate::validate::{Diagnostic, Severity, code};

use super::{Definition, Mode, State, StateId, StateKind};

impl Definition {
    /// One diagnostic for each state and feature that is parsed but does not run yet.
    pub fn unsupported(&self) -> Vec<Diagnostic> {
        self.states().flat_map(|(id, state)| self.unsupported_in(id, state)).collect()
    }

    fn unsupported_in(&self, id: StateId, state: &State) -> Vec<Diagnostic> {
        let diagnostic = |message: &str| Diagnostic {
            severity: Severity::Error,
            code: code::UNSUPPORTED_FEATURE,
            message: String::from(message),
            location: Some(self.location(id)),
        };
        let mut found = Vec::new();
        match &state.kind {
            StateKind::Map(map) => match map.mode {
                Mode::Inline => {}
                Mode::Distributed(ref distributed) => {
                    if distributed.item_reader.is_some() {
                        found.push(diagnostic(
                            "An ItemReader is not supported yet; give the items in the state's input",
                        ));
                    }
                    if distributed.result_writer.is_some() {
                        found.push(diagnostic("A ResultWriter is not supported yet; leave it out"));
                    }
                }
            },
            StateKind::Pass(_)
            | StateKind::Task(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed(_)
            | StateKind::Fail(_)
            | StateKind::Parallel(_) => {}
        }
        found
    }

    /// Where a state stands in the text of the definition: `/States/Outer/Branches[0]/States/Inner`. A legacy
    /// `Iterator` is called by its present name.
    pub fn location(&self, id: StateId) -> String {
        let state = self.state(id);
        let scope = match self.scope(state.scope).owner {
            None => String::new(),
            Some(owner) => {
                let field = match &self.state(owner).kind {
                    StateKind::Parallel(parallel) => {
                        let at = parallel.branches.iter().position(|branch| *branch == state.scope);
                        format!("Branches[{}]", at.unwrap_or_default())
                    }
                    StateKind::Map(_)
                    | StateKind::Pass(_)
                    | StateKind::Task(_)
                    | StateKind::Choice(_)
                    | StateKind::Wait(_)
                    | StateKind::Succeed(_)
                    | StateKind::Fail(_) => String::from("ItemProcessor"),
                };
                format!("{}/{field}", self.location(owner))
            }
        };
        format!("{scope}/States/{}", state.name)
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::{MachineType, parse};

    #[test]
    fn names_each_state_and_feature() {
        let text = r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}},
            {"StartAt": "M", "States": {"M": {"Type": "Map", "QueryLanguage": "JSONata", "End": true,
                "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Arguments": {"Bucket": "b", "Key": "k"}},
                "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "b"}},
                "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}}}}}]}}}"#;
        let parsed = parse(text, MachineType::Standard);
        let definition = parsed.definition.unwrap();
        let found: Vec<String> = definition.unsupported().iter().map(ToString::to_string).collect();
        let at = "at /States/P/Branches[1]/States/M";
        assert_eq!(
            found,
            [
                format!(
                    "UNSUPPORTED_FEATURE: An ItemReader is not supported yet; give the items in the state's input \
                     {at}"
                ),
                format!("UNSUPPORTED_FEATURE: A ResultWriter is not supported yet; leave it out {at}"),
            ]
        );
    }
}
