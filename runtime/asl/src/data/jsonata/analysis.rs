//! What an expression names, and what can be said against it before it runs.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, BinaryOp, Stage};
use jsonata_core::value::with_stack;

use super::expression::StatesField;
use super::walk::{Place, children};

/// The variable that Step Functions itself binds.
pub(super) const STATES: &str = "states";

const COMPARISONS: [(BinaryOp, &str); 4] = [
    (BinaryOp::LessThan, "<"),
    (BinaryOp::LessThanOrEqual, "<="),
    (BinaryOp::GreaterThan, ">"),
    (BinaryOp::GreaterThanOrEqual, ">="),
];

/// What an expression names.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// Variables that the expression does not bind itself, built-in functions among them.
    pub(super) variables: BTreeSet<String>,
    /// Functions that are called and not bound by the expression: a variable of that name would hide them.
    pub(super) functions: BTreeSet<String>,
    /// The fields of `$states`.
    pub(super) states: BTreeSet<StatesField>,
    /// The operators that compare by size.
    pub(super) comparisons: BTreeSet<&'static str>,
    /// Every name that the expression binds somewhere.
    pub(super) bound: BTreeSet<String>,
}

/// Gathers the names of an expression; the error is AWS's kind of objection to it.
pub(super) fn analyse(node: &mut AstNode) -> Result<Names, String> {
    let mut analysis = Analysis { scopes: vec![Vec::new()], ..Analysis::default() };
    analysis.visit(node, true);
    match analysis.objection {
        Some(objection) => Err(objection),
        None => {
            let mut names = analysis.names;
            if names.states.contains(&StatesField::Context) {
                names.states.remove(&StatesField::ContextWithoutInput);
            }
            Ok(names)
        }
    }
}

/// Every name that an expression binds, whatever may be said against it.
#[cfg(test)]
pub(super) fn bound(node: &mut AstNode) -> BTreeSet<String> {
    let mut analysis = Analysis { scopes: vec![Vec::new()], ..Analysis::default() };
    analysis.visit(node, true);
    analysis.names.bound
}

#[derive(Default)]
struct Analysis {
    names: Names,
    /// What the functions and blocks around bind, the innermost last.
    scopes: Vec<Vec<String>>,
    objection: Option<String>,
}

impl Analysis {
    fn visit(&mut self, node: &mut AstNode, top: bool) {
        with_stack(|| {
            self.check(node, top);
            let scopes = self.scopes.len();
            self.open_scope(node);
            if let AstNode::Binary { op: BinaryOp::ColonEqual, lhs, rhs } = node {
                // A function may call itself by the name that it is about to get.
                let is_function = matches!(**rhs, AstNode::Lambda { .. });
                if is_function {
                    self.bind_target(lhs);
                }
                self.visit(rhs, top);
                if !is_function {
                    self.bind_target(lhs);
                }
            } else {
                let skips_root = self.take_states_field(node);
                children(node, &mut |child, place| match place {
                    Place::FirstStep if skips_root => {}
                    Place::Name => self.bind_target(child),
                    Place::Value | Place::FirstStep | Place::StagedFirstStep | Place::Pipe => {
                        self.visit(child, top);
                    }
                    Place::Inner | Place::Step | Place::StagedStep | Place::Body => self.visit(child, false),
                });
            }
            self.scopes.truncate(scopes);
        });
    }

    fn check(&mut self, node: &AstNode, top: bool) {
        if let AstNode::Variable(name) = node {
            if name.is_empty() && top {
                self.object("'$' has no meaning outside of a path or a function; use $states.input");
            } else if name == STATES && !self.is_bound(name) {
                self.names.states.extend(StatesField::ALL);
            } else if !name.is_empty() && !self.is_bound(name) {
                self.names.variables.insert(name.clone());
            }
        }
        if matches!(node, AstNode::ParentVariable(_)) && top {
            self.object("'$$' has no meaning outside of a path or a function; use $states.input");
        }
        if let AstNode::Function { name, is_builtin: true, .. } = node
            && !self.is_bound(name)
        {
            if name == "eval" {
                self.object("the function $eval is not supported; $parse reads JSON");
            }
            self.names.functions.insert(name.clone());
        }
        if let AstNode::Binary { op, .. } = node
            && let Some((_, sign)) = COMPARISONS.iter().find(|(comparison, _)| comparison == op)
        {
            self.names.comparisons.insert(sign);
        }
        if let AstNode::Binary { op: BinaryOp::Coalesce, .. } = node {
            self.object("the operator '??' is not supported");
        }
        if let AstNode::Binary { op: BinaryOp::Default, .. } = node {
            self.object("the operator '?:' is not supported");
        }
    }

    /// Opens the scope of a function or a block. What a path binds is seen around it too, by what groups or
    /// sorts its result.
    fn open_scope(&mut self, node: &AstNode) {
        if let AstNode::Block(_) = node {
            self.scopes.push(Vec::new());
        }
        if let AstNode::Lambda { params, .. } = node {
            self.scopes.push(Vec::new());
            params.iter().for_each(|name| self.bind(name));
        }
        if let AstNode::Path { steps } = node {
            for step in steps {
                let stages = step.stages.iter().filter_map(|stage| match stage {
                    Stage::Index(name) => Some(name),
                    Stage::Filter(_) | Stage::KeepArray => None,
                });
                stages.chain(&step.focus).chain(&step.index_var).for_each(|name| self.bind(name));
            }
        }
    }

    /// Takes down which field of `$states` a path begins with; false if it begins otherwise.
    fn take_states_field(&mut self, node: &AstNode) -> bool {
        let AstNode::Path { steps } = node else { return false };
        let [first, second, ..] = steps.as_slice() else { return false };
        let (AstNode::Variable(root), AstNode::Name(field)) = (&first.node, &second.node) else {
            return false;
        };
        let names: Vec<&str> = steps[1..].iter().map_while(|step| name(&step.node)).collect();
        if root != STATES || !first.stages.is_empty() || self.is_bound(STATES) {
            return false;
        }
        match StatesField::of_path(&names) {
            Some(field) => _ = self.names.states.insert(field),
            None => self.object(&format!(
                "'$states.{field}' does not exist; the fields of $states are input, result, errorOutput and context"
            )),
        }
        true
    }

    fn bind_target(&mut self, target: &AstNode) {
        if let AstNode::Variable(name) = target {
            self.bind(name);
        }
    }

    fn bind(&mut self, name: &str) {
        if name == STATES {
            self.object("the variable '$states' is reserved");
        }
        self.names.bound.insert(String::from(name));
        let scope = self.scopes.last_mut().expect("the scope of the whole expression is never left");
        scope.push(String::from(name));
    }

    fn is_bound(&self, name: &str) -> bool {
        self.scopes.iter().flatten().any(|bound| bound == name)
    }

    /// Keeps the first objection only.
    fn object(&mut self, objection: &str) {
        self.objection.get_or_insert_with(|| String::from(objection));
    }
}

fn name(node: &AstNode) -> Option<&str> {
    if let AstNode::Name(name) = node { Some(name) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &str) {
        let mut ast = jsonata_core::parser::parse(source).unwrap();
        let shown = match analyse(&mut ast) {
            Err(objection) => objection,
            Ok(names) => {
                let variables: Vec<&str> = names.variables.iter().map(String::as_str).collect();
                let states: Vec<&str> = names.states.iter().map(|field| field.name()).collect();
                format!("{} | {}", variables.join(" "), states.join(" "))
            }
        };
        assert_eq!(shown, expected, "{source}");
    }

    #[test]
    fn free_variables() {
        check("$x + $y.a[b = $z]", "x y z | ");
        check("($x := $y; $x + 1)", "y | ");
        check("($x := $x; 1)", "x | ");
        check("($f := function($n) { $n = 0 ? $w : $f($n - 1) }; $f(3))", "w | ");
        check("$map($xs, function($x, $i) { $x * $i })", "xs | ");
        check("$orders@$o.items#$i.{'o': $o, 'i': $i, 'v': $v}", "orders v | ");
        check("$orders@$o.items{ $o.id: $v }", "orders v | ");
        check("($a := 1; $b) + $a", "a b | ");
        check("$sum($xs) & $uuid()", "xs | ");
        check("$map($xs, $string)", "string xs | ");
    }

    #[test]
    fn fields_of_states() {
        check("$states.input.a + $states.result[0]", " | input result");
        check("$states.context.Execution.Id", " | context");
        check("$states.errorOutput.Cause ~> $parse", "parse | errorOutput");
        check("$states", " | input result errorOutput context");
        check("{'all': $states}", " | input result errorOutput context");
        check("$keys($states.input[$states.context.a = b])", " | input context");
    }

    #[test]
    fn objections() {
        let dollar = "'$' has no meaning outside of a path or a function; use $states.input";
        check("$", dollar);
        check("$.a", dollar);
        check("$string($)", dollar);
        check("$$.a", "'$$' has no meaning outside of a path or a function; use $states.input");
        check("$xs.($ + 1)", "xs | ");
        check("$xs[$ > 1]", "xs | ");
        check("$map($xs, function() { $ })", "xs | ");
        check("$eval('1')", "the function $eval is not supported; $parse reads JSON");
        check("$a ?? 1", "the operator '??' is not supported");
        check("$a ?: 1", "the operator '?:' is not supported");
        check("($states := 1; $states)", "the variable '$states' is reserved");
        check("function($states) { 1 }", "the variable '$states' is reserved");
        check(
            "$states.inputs",
            "'$states.inputs' does not exist; the fields of $states are input, result, errorOutput and context",
        );
    }
}
