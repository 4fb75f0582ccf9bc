//! Rewrites a parsed expression so that it checks sizes while it runs.
//!
//! The engine has a limit on time, which it looks at between nodes, and none on memory, and one built-in
//! function runs to its end whatever it does. So nothing may become large: every place where a value can become
//! larger than its parts is wrapped in a call of a function of ours (`functions`), which measures what passes.
//! The names of these functions cannot be written in an expression.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, BinaryOp, Stage};
use jsonata_core::value::with_stack;

use super::walk::{Place, children};

/// Passes a value on if it is not too large.
pub(super) const BOUND: &str = "\0bound";
/// Passes a number on if it is a width that `$pad` may have.
pub(super) const WIDTH: &str = "\0width";
/// Passes its second argument on, if that many copies of it as the first one asks for are not too large.
pub(super) const TIMES: &str = "\0times";
/// Remember where a range begins, and count its numbers when its end is known. The engine's own node for a range
/// must stay where it is.
pub(super) const RANGE_START: &str = "\0start";
pub(super) const RANGE_END: &str = "\0end";
/// Takes the second of two functions if the first one is built in.
pub(super) const PICK: &str = "\0pick";
/// Passes everything on but an array without items.
pub(super) const FILLED: &str = "\0filled";
/// Cuts a fraction off.
pub(super) const WHOLE: &str = "\0whole";
/// Encodes signs of a text that the engine leaves in a URL.
pub(super) const URL: &str = "\0url";
/// Brings signs back that the engine encodes in a part of a URL.
pub(super) const URL_PART: &str = "\0part";
/// The time at which the state is computed.
pub(super) const MILLIS: &str = "millis";

/// Built-in functions that make something new, with how many arguments they get when a function such as `$map`
/// calls them.
const MAKERS: [(&str, usize); 37] = [
    ("append", 2),
    ("base64decode", 1),
    ("base64encode", 1),
    ("decodeUrl", 1),
    ("decodeUrlComponent", 1),
    ("distinct", 1),
    ("each", 2),
    ("encodeUrl", 1),
    ("encodeUrlComponent", 1),
    ("filter", 2),
    ("formatBase", 2),
    ("formatInteger", 2),
    ("formatNumber", 3),
    ("fromMillis", 3),
    ("join", 2),
    ("keys", 1),
    ("lowercase", 1),
    ("map", 2),
    ("match", 3),
    ("merge", 1),
    ("pad", 3),
    ("partition", 2),
    ("replace", 4),
    ("reverse", 1),
    ("shuffle", 1),
    ("sift", 2),
    ("sort", 2),
    ("split", 3),
    ("spread", 1),
    ("string", 1),
    ("substring", 3),
    ("substringAfter", 2),
    ("substringBefore", 2),
    ("trim", 1),
    ("uppercase", 1),
    ("zip", 2),
    ("boolean", 1),
];

/// Built-in functions that look at every part of an argument, however often a part is shared.
const WALKERS: [&str; 13] = [
    "append", "boolean", "distinct", "error", "join", "merge", "not", "replace", "sort", "spread", "string",
    "type", "zip",
];

/// Rewrites an expression. Of names that it binds itself, which may be functions of its own, calls stay as they
/// are: what a built-in function is bound from is guarded already.
pub(super) fn guard(node: &mut AstNode, bound: &BTreeSet<String>) {
    rewrite(node, Place::Value, bound);
}

fn rewrite(node: &mut AstNode, place: Place, bound: &BTreeSet<String>) {
    with_stack(|| {
        if place == Place::Name {
            return;
        }
        apply_pipe(node, bound);
        children(node, &mut |child, place| rewrite(child, place, bound));
        guard_operands(node);
        guard_path(node, place);
        guard_call(node, place, bound);
        guard_reference(node, place);
    });
}

/// `a ~> $f(b)` is `$f(a, b)`.
fn apply_pipe(node: &mut AstNode, bound: &BTreeSet<String>) {
    let AstNode::Binary { op: BinaryOp::ChainPipe, lhs, rhs } = node else { return };
    let AstNode::Function { name, args, is_builtin: true } = &mut **rhs else { return };
    if bound.contains(name) || !is_guarded(name) || is_partial(args) {
        return;
    }
    args.insert(0, std::mem::replace(lhs, AstNode::Null));
    let call = std::mem::replace(&mut **rhs, AstNode::Null);
    *node = call;
}

fn guard_operands(node: &mut AstNode) {
    if let AstNode::Binary { op, lhs, rhs } = node {
        // Compared with a scalar, nothing is looked at deeply.
        let is_compared = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In)
            && !is_scalar(lhs)
            && !is_scalar(rhs);
        if *op == BinaryOp::Range {
            enclose(RANGE_START, lhs);
            enclose(RANGE_END, rhs);
        } else if is_compared {
            wrap(lhs);
            wrap(rhs);
        } else if *op == BinaryOp::Concatenate {
            wrap(lhs);
            wrap(rhs);
            wrap_always(node);
        }
    } else if let AstNode::Array(items) | AstNode::ArrayGroup(items) = node {
        items.iter_mut().for_each(wrap);
    } else if let AstNode::Object(pairs) | AstNode::ObjectTransform { pattern: pairs, .. } = node {
        pairs.iter_mut().for_each(|(_, value)| wrap(value));
    }
}

/// A path with a wildcard makes a long array in one go, and a call with a predicate is measured here.
fn guard_path(node: &mut AstNode, place: Place) {
    let AstNode::Path { steps } = node else { return };
    let is_wild = steps.iter().any(|step| {
        matches!(step.node, AstNode::Wildcard | AstNode::Descendant)
            || matches!(step.node, AstNode::Function { .. }) && !step.stages.is_empty()
    });
    let carries_tuples = steps
        .iter()
        .any(|step| step.is_tuple || step.stages.iter().any(|stage| matches!(stage, Stage::Index(_))));
    if is_wild && !carries_tuples && place == Place::Value {
        wrap_always(node);
    }
}

fn guard_call(node: &mut AstNode, place: Place, bound: &BTreeSet<String>) {
    let AstNode::Function { name, args, is_builtin: true } = node else { return };
    if bound.contains(name) {
        return;
    }
    if name == "now" {
        // The engine would look at the clock.
        *name = String::from("fromMillis");
        args.insert(0, call(MILLIS, Vec::new()));
    }
    if name == "reduce" && args.len() == 2 && !is_partial(args) {
        // Of nothing there is no first item to begin with.
        enclose(FILLED, &mut args[0]);
    }
    if !is_guarded(name) {
        return;
    }
    if is_partial(args) {
        let (name, args) = (std::mem::take(name), std::mem::take(args));
        let procedure = Box::new(picked(&name));
        *node = AstNode::Call { procedure, args };
        return;
    }
    if WALKERS.contains(&name.as_str()) {
        args.iter_mut().for_each(wrap);
    }
    match name.as_str() {
        "pad" => args.iter_mut().for_each(|arg| enclose(WIDTH, arg)),
        "join" if args.len() == 2 => repeats(node, 1),
        "replace" if args.len() == 2 => {
            // The text is the context.
            args[1] = call(
                TIMES,
                vec![AstNode::Variable(String::new()), std::mem::replace(&mut args[1], AstNode::Null)],
            );
        }
        "replace" if args.len() > 2 => repeats(node, 2),
        "fromMillis" if !args.is_empty() => enclose(WHOLE, &mut args[0]),
        "encodeUrl" => args.iter_mut().for_each(|arg| enclose(URL, arg)),
        _other => {}
    }
    match place {
        // What follows `~>` must stay a call, to which an argument is added; a predicate looks at the call.
        Place::Pipe | Place::StagedFirstStep | Place::StagedStep => {}
        Place::Value | Place::Inner | Place::FirstStep | Place::Step | Place::Body | Place::Name => {
            if matches!(node, AstNode::Function { name, .. } if name == "encodeUrlComponent") {
                enclose(URL_PART, node);
            }
            wrap_always(node);
        }
    }
}

/// A call in which the argument at `index` is written into the result as often as the first one asks for. Each
/// argument is computed once, as that of a function around the call.
fn repeats(node: &mut AstNode, index: usize) {
    let AstNode::Function { args, .. } = node else { return };
    let values = std::mem::take(args);
    let params: Vec<String> = (0..values.len()).map(|at| format!("\0{at}")).collect();
    *args = params.iter().cloned().map(AstNode::Variable).collect();
    args[index] = call(TIMES, vec![args[0].clone(), args[index].clone()]);
    let body = Box::new(std::mem::replace(node, AstNode::Null));
    let procedure = Box::new(AstNode::Lambda { params, body, signature: None, thunk: false });
    *node = AstNode::Call { procedure, args: values };
}

/// A built-in function that is passed on and not called here: `$map(a, $uppercase)`.
fn guard_reference(node: &mut AstNode, place: Place) {
    let AstNode::Variable(name) = node else { return };
    if is_guarded(name) && place != Place::Name {
        *node = picked(name);
    }
}

/// What a name stands for, with a guarded function in place of the one that is built in.
fn picked(name: &str) -> AstNode {
    let arity = MAKERS.iter().find(|(maker, _)| *maker == name).map_or(1, |(_, arity)| *arity);
    let params: Vec<String> = (0..arity).map(|at| format!("\0{at}")).collect();
    let mut body = call(name, params.iter().cloned().map(AstNode::Variable).collect());
    guard_call(&mut body, Place::Body, &BTreeSet::new());
    let function = AstNode::Lambda { params, body: Box::new(body), signature: None, thunk: false };
    // Within a block it is a value also where a call would get another argument.
    AstNode::Block(vec![call(PICK, vec![AstNode::Variable(String::from(name)), function])])
}

fn is_guarded(name: &str) -> bool {
    WALKERS.contains(&name) || MAKERS.iter().any(|(maker, _)| *maker == name)
}

fn is_partial(args: &[AstNode]) -> bool {
    args.iter().any(|arg| matches!(arg, AstNode::Placeholder))
}

fn is_scalar(node: &AstNode) -> bool {
    matches!(node, AstNode::String(_) | AstNode::Number(_) | AstNode::Boolean(_) | AstNode::Null)
}

/// Measures a part, unless its size is known from how it is written.
fn wrap(node: &mut AstNode) {
    match node {
        AstNode::String(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Lambda { .. }
        // Their own parts are measured.
        | AstNode::Array(_)
        | AstNode::Object(_)
        | AstNode::ArrayGroup(_)
        | AstNode::Unary { .. }
        // Numbers and truth values; a range is bounded by the engine and must stay visible to it.
        | AstNode::Binary {
            op:
                BinaryOp::Add
                | BinaryOp::Subtract
                | BinaryOp::Multiply
                | BinaryOp::Divide
                | BinaryOp::Modulo
                | BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::LessThan
                | BinaryOp::LessThanOrEqual
                | BinaryOp::GreaterThan
                | BinaryOp::GreaterThanOrEqual
                | BinaryOp::And
                | BinaryOp::Or
                | BinaryOp::Range
                | BinaryOp::In,
            ..
        } => {}
        AstNode::Function { name, .. } if name == BOUND => {}
        AstNode::Function { .. }
        | AstNode::Name(_)
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Path { .. }
        | AstNode::Binary { .. }
        | AstNode::Call { .. }
        | AstNode::ObjectTransform { .. }
        | AstNode::Block(_)
        | AstNode::Conditional { .. }
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_)
        | AstNode::FunctionApplication(_)
        | AstNode::Sort { .. }
        | AstNode::Transform { .. } => wrap_always(node),
    }
}

fn wrap_always(node: &mut AstNode) {
    enclose(BOUND, node);
}

/// Makes a node the argument of a function.
fn enclose(function: &str, node: &mut AstNode) {
    *node = call(function, vec![std::mem::replace(node, AstNode::Null)]);
}

fn call(name: &str, args: Vec<AstNode>) -> AstNode {
    AstNode::Function { name: String::from(name), args, is_builtin: true }
}
