//! Which variables each state reads, as DescribeStateMachine shows them.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::jsonata;
use crate::data::path::{Path, Root};

use super::{
    Assign, Catcher, Choice, Computed, Definition, Delay, Expression, Flow, Items, Map, NumberField, Operand,
    Operator, Parallel, Selection, State, StateKind, Task, Template, Test, TextField, TimestampField, Wait,
};

impl Definition {
    /// The names of the variables that each state reads, in order; states that read none are left out. What is
    /// within a Map or Parallel counts for the inner states, an ItemSelector for the Map.
    pub fn variable_references(&self) -> BTreeMap<String, Vec<String>> {
        let assigned = self.assigned_names();
        let states = self.states.iter().map(|state| {
            let mut names = Names { found: BTreeSet::new(), assigned: &assigned };
            names.state(state);
            (state.name.to_string(), names.found.into_iter().collect::<Vec<String>>())
        });
        states.filter(|(_, names)| !names.is_empty()).collect()
    }

    /// The name of every variable that some state assigns.
    fn assigned_names(&self) -> BTreeSet<&str> {
        self.states.iter().flat_map(State::assigns).flatten().map(|(name, _)| name.as_str()).collect()
    }
}

impl State {
    fn assigns(&self) -> Vec<&Assign> {
        let (own, catch): (&Assign, &[Catcher]) = match &self.kind {
            StateKind::Pass(pass) => (&pass.assign, &[]),
            StateKind::Task(task) => (&task.assign, &task.catch),
            StateKind::Wait(wait) => (&wait.assign, &[]),
            StateKind::Parallel(parallel) => (&parallel.assign, &parallel.catch),
            StateKind::Map(map) => (&map.assign, &map.catch),
            StateKind::Choice(choice) => {
                let rules = choice.rules.iter().map(|rule| &rule.assign);
                return rules.chain([&choice.assign]).collect();
            }
            StateKind::Succeed(_) | StateKind::Fail(_) => return Vec::new(),
        };
        catch.iter().map(|catcher| &catcher.assign).chain([own]).collect()
    }
}

struct Names<'a> {
    found: BTreeSet<String>,
    assigned: &'a BTreeSet<&'a str>,
}

impl Names<'_> {
    fn state(&mut self, state: &State) {
        state.assigns().into_iter().for_each(|assign| self.assign(assign));
        match &state.kind {
            StateKind::Pass(pass) => self.flow(&pass.flow),
            StateKind::Task(task) => self.task(task),
            StateKind::Choice(choice) => self.choice(choice),
            StateKind::Wait(wait) => self.wait(wait),
            StateKind::Succeed(succeed) => self.flow(&succeed.flow),
            StateKind::Fail(fail) => {
                for field in fail.error.iter().chain(&fail.cause) {
                    match field {
                        TextField::Literal(_) => {}
                        TextField::Computed(computed) => self.computed(computed),
                    }
                }
            }
            StateKind::Parallel(Parallel { flow, catch, .. }) => {
                self.flow(flow);
                self.catch(catch);
            }
            StateKind::Map(map) => self.map(map),
        }
    }

    fn task(&mut self, task: &Task) {
        self.flow(&task.flow);
        self.number(task.timeout_seconds.as_ref());
        self.number(task.heartbeat_seconds.as_ref());
        self.template(task.credentials.as_ref());
        self.template(task.callback_links.as_ref());
        self.catch(&task.catch);
    }

    fn choice(&mut self, choice: &Choice) {
        self.flow(&choice.flow);
        for rule in &choice.rules {
            self.test(&rule.test);
            self.template(rule.output.as_ref());
        }
    }

    fn wait(&mut self, wait: &Wait) {
        self.flow(&wait.flow);
        match &wait.delay {
            Delay::Seconds(seconds) => self.number(Some(seconds)),
            Delay::Until(TimestampField::Computed(computed)) => self.computed(computed),
            Delay::Until(TimestampField::Literal(_)) => {}
        }
    }

    fn map(&mut self, map: &Map) {
        self.flow(&map.flow);
        match &map.items {
            Items::Input => {}
            Items::Path(path) => self.path(path),
            Items::Template(template) => self.template(Some(template)),
        }
        self.template(map.item_selector.as_ref());
        self.number(map.concurrency_max.as_ref());
        self.number(map.tolerated_failure_count.as_ref());
        self.number(map.tolerated_failure_percentage.as_ref());
        self.catch(&map.catch);
        self.distributed(&map.mode);
    }

    /// The reader and the writer of a distributed Map are kept as they were written.
    fn distributed(&mut self, mode: &super::Mode) {
        let super::Mode::Distributed(distributed) = mode else { return };
        if let Some(batcher) = &distributed.item_batcher {
            self.number(batcher.items_max.as_ref());
            self.number(batcher.bytes_max.as_ref());
            self.template(batcher.input.as_ref());
        }
        let fields = [&distributed.item_reader, &distributed.result_writer];
        fields.into_iter().flatten().for_each(|value| self.written(value));
    }

    /// Computed places of a value that was not parsed: fields that end in `.$` or `Path`, and `{% … %}`.
    fn written(&mut self, value: &serde_json::Value) {
        if let Some(items) = value.as_array() {
            items.iter().for_each(|item| self.written(item));
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            let computed = name.ends_with(".$") || name.ends_with("Path");
            match member.as_str().filter(|_| computed).map(Path::parse) {
                Some(Ok(path)) => self.path(&path),
                Some(Err(_)) | None => self.written(member),
            }
        }
        let source = value.as_str().and_then(super::parse::jsonata_source);
        if let Some(Ok(expression)) = source.map(jsonata::Expression::parse) {
            self.expression(&expression);
        }
    }

    fn flow(&mut self, flow: &Flow) {
        match flow {
            Flow::JsonPath(flow) => {
                self.selection(&flow.input_path);
                self.template(flow.parameters.as_ref());
                self.template(flow.result_selector.as_ref());
                self.selection(&flow.output_path);
            }
            Flow::Jsonata(flow) => {
                self.template(flow.arguments.as_ref());
                self.template(flow.output.as_ref());
            }
        }
    }

    fn catch(&mut self, catch: &[Catcher]) {
        catch.iter().for_each(|catcher| self.template(catcher.output.as_ref()));
    }

    fn assign(&mut self, assign: &Assign) {
        assign.iter().for_each(|(_, template)| self.template(Some(template)));
    }

    fn selection(&mut self, selection: &Selection) {
        match selection {
            Selection::Whole | Selection::Nothing => {}
            Selection::Path(path) => self.path(path),
        }
    }

    fn test(&mut self, test: &Test) {
        match test {
            Test::And(tests) | Test::Or(tests) => tests.iter().for_each(|test| self.test(test)),
            Test::Not(test) => self.test(test),
            Test::Condition(condition) => self.computed(condition),
            Test::Constant(_) => {}
            Test::Compare(comparison) => {
                self.path(&comparison.variable);
                match &comparison.operator {
                    Operator::String(_, operand) => self.operand(operand),
                    Operator::Numeric(_, operand) => self.operand(operand),
                    Operator::Boolean(operand) => self.operand(operand),
                    Operator::Timestamp(_, operand) => self.operand(operand),
                    Operator::StringMatches(_)
                    | Operator::IsNull(_)
                    | Operator::IsPresent(_)
                    | Operator::IsNumeric(_)
                    | Operator::IsString(_)
                    | Operator::IsBoolean(_)
                    | Operator::IsTimestamp(_) => {}
                }
            }
        }
    }

    fn operand<T>(&mut self, operand: &Operand<T>) {
        match operand {
            Operand::Literal(_) => {}
            Operand::Path(path) => self.path(path),
        }
    }

    fn template(&mut self, template: Option<&Template>) {
        match template {
            None | Some(Template::Literal(_)) => {}
            Some(Template::Computed(computed)) => self.computed(computed),
            Some(Template::Object(members)) => {
                members.iter().for_each(|(_, member)| self.template(Some(member)));
            }
            Some(Template::Array(items)) => items.iter().for_each(|item| self.template(Some(item))),
        }
    }

    fn number(&mut self, field: Option<&NumberField>) {
        match field {
            None | Some(NumberField::Literal(_)) => {}
            Some(NumberField::Computed(computed)) => self.computed(computed),
        }
    }

    fn computed(&mut self, computed: &Computed) {
        match &computed.expression {
            Expression::Path(path) => self.path(path),
            Expression::Intrinsic(call) => call.paths().for_each(|path| self.path(path)),
            Expression::Jsonata(expression) => self.expression(expression),
        }
    }

    fn expression(&mut self, expression: &jsonata::Expression) {
        let is_variable =
            |name: &&String| self.assigned.contains(name.as_str()) || !jsonata::is_function(name);
        let names: Vec<String> = expression.variables().iter().filter(is_variable).cloned().collect();
        self.found.extend(names);
    }

    fn path(&mut self, path: &Path) {
        match path.root() {
            Root::Variable(name) => _ = self.found.insert(name.to_string()),
            Root::Input | Root::Context => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::{MachineType, parse};

    fn check(states: &str, expected: &str) {
        let text = format!(r#"{{"StartAt": "A", "States": {{{states}}}}}"#);
        let parsed = parse(&text, MachineType::Standard);
        let definition = parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
        let found = definition.variable_references().into_iter();
        let found: Vec<String> =
            found.map(|(state, names)| format!("{state}: {}", names.join(" "))).collect();
        assert_eq!(found.join("; "), expected, "{states}");
    }

    #[test]
    fn of_json_path() {
        check(
            r#""A": {"Type": "Pass", "Parameters": {"a": "$x", "b.$": "$.y", "c.$": "$$.State"}, "End": true}"#,
            "",
        );
        check(
            r#""A": {"Type": "Pass", "InputPath": "$b.c", "OutputPath": "$a", "ResultPath": "$.r",
                "Parameters": {"x": [{"y.$": "States.Format('{}', States.Array($d, $.e))"}]},
                "Assign": {"f": {"g.$": "$h"}}, "End": true}"#,
            "A: a b d h",
        );
        check(
            r#""A": {"Type": "Choice", "Choices": [
                {"And": [{"Variable": "$x", "IsPresent": true}, {"Not": {"Variable": "$.a", "NumericEqualsPath": "$y"}}],
                 "Next": "B", "Assign": {"v.$": "$z"}}], "Default": "B"},
               "B": {"Type": "Wait", "SecondsPath": "$w", "Next": "C"},
               "C": {"Type": "Wait", "TimestampPath": "$t", "Next": "D"},
               "D": {"Type": "Fail", "ErrorPath": "$e", "CausePath": "States.JsonToString($c)"}"#,
            "A: x y z; B: w; C: t; D: c e",
        );
        check(
            r#""A": {"Type": "Map", "End": true, "ItemsPath": "$items", "ItemSelector": {"i.$": "$$.Map.Item", "b.$": "$b"},
                "MaxConcurrencyPath": "$m", "ToleratedFailureCountPath": "$t", "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket.$": "$bucket", "Key": "$k"},
                    "ReaderConfig": {"InputType": "JSON", "MaxItemsPath": "$n"}},
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z", "Assign": {"x.$": "$y"}}],
                "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "I",
                    "States": {"I": {"Type": "Pass", "InputPath": "$own", "End": true}}}},
               "Z": {"Type": "Succeed"}"#,
            "A: b bucket items m n t y; I: own",
        );
    }

    #[test]
    fn of_jsonata() {
        check(
            r#""A": {"Type": "Task", "QueryLanguage": "JSONata", "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"a": "{% $x + ($l := 1; $l) %}", "b": ["{% $map($xs, $string) %}"], "c": "$no"},
                "TimeoutSeconds": "{% $t %}", "Assign": {"v": "{% $sum($w) %}"}, "Output": "{% $states.result %}",
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B", "Output": "{% $o %}"}], "Next": "B"},
               "B": {"Type": "Choice", "QueryLanguage": "JSONata", "Default": "C", "Output": "{% $d %}", "Choices": [
                {"Condition": "{% $c = $states.input.n %}", "Next": "C", "Output": "{% $r %}"}]},
               "C": {"Type": "Succeed"}"#,
            "A: o t w x xs; B: c d r",
        );
        // The name of a function is a variable's if some state assigns it.
        check(
            r#""A": {"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"count": 1}, "Next": "B"},
               "B": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% [$count, $sum] %}", "End": true}"#,
            "B: count",
        );
    }
}
