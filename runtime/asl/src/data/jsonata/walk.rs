//! The children of a node of a parsed expression. The engine's parser bounds how deep they nest.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

/// What a child is to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A value that is computed with the same context as the parent.
    Value,
    /// A value that is computed with another context: `$` in it is an item, a group, an argument.
    Inner,
    /// The first step of a path, computed with the parent's context.
    FirstStep,
    Step,
    /// A first step to which a predicate, an index or `[]` belongs.
    StagedFirstStep,
    StagedStep,
    /// The body of a function.
    Body,
    /// The right side of `~>`, to which the left side becomes an argument.
    Pipe,
    /// A name and no expression: the left side of `:=`, `@` or `#`.
    Name,
}

/// Visits the children of a node.
pub(super) fn children(node: &mut AstNode, visit: &mut dyn FnMut(&mut AstNode, Place)) {
    match node {
        AstNode::Path { steps } => {
            for (index, step) in steps.iter_mut().enumerate() {
                let place = match (index, step.stages.is_empty()) {
                    (0, true) => Place::FirstStep,
                    (0, false) => Place::StagedFirstStep,
                    (_, true) => Place::Step,
                    (_, false) => Place::StagedStep,
                };
                path_step(step, place, visit);
            }
        }
        AstNode::Binary { op, lhs, rhs } => binary(*op, lhs, rhs, visit),
        AstNode::Unary { operand, .. } => visit(operand, Place::Value),
        AstNode::Function { args, .. } => args.iter_mut().for_each(|arg| visit(arg, Place::Value)),
        AstNode::Call { procedure, args } => {
            visit(procedure, Place::Value);
            args.iter_mut().for_each(|arg| visit(arg, Place::Value));
        }
        AstNode::Lambda { body, .. } => visit(body, Place::Body),
        AstNode::Array(items) | AstNode::Block(items) | AstNode::ArrayGroup(items) => {
            items.iter_mut().for_each(|item| visit(item, Place::Value));
        }
        AstNode::Object(pairs) => {
            // With a literal key the context of the value is that of the object; a group has its own.
            for (key, value) in pairs {
                visit(key, Place::Value);
                visit(value, Place::Value);
            }
        }
        AstNode::ObjectTransform { input, pattern } => {
            visit(input, Place::Value);
            for (key, value) in pattern {
                visit(key, Place::Inner);
                visit(value, Place::Inner);
            }
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            visit(condition, Place::Value);
            visit(then_branch, Place::Value);
            if let Some(branch) = else_branch {
                visit(branch, Place::Value);
            }
        }
        AstNode::FunctionApplication(inner) => visit(inner, Place::Value),
        AstNode::Sort { input, terms } => {
            visit(input, Place::Value);
            terms.iter_mut().for_each(|(term, _)| visit(term, Place::Inner));
        }
        AstNode::Transform { location, update, delete } => {
            visit(location, Place::Inner);
            visit(update, Place::Inner);
            if let Some(delete) = delete {
                visit(delete, Place::Inner);
            }
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}

fn path_step(step: &mut PathStep, place: Place, visit: &mut dyn FnMut(&mut AstNode, Place)) {
    visit(&mut step.node, place);
    for stage in &mut step.stages {
        match stage {
            Stage::Filter(filter) => visit(filter, Place::Inner),
            Stage::KeepArray | Stage::Index(_) => {}
        }
    }
}

fn binary(op: BinaryOp, lhs: &mut AstNode, rhs: &mut AstNode, visit: &mut dyn FnMut(&mut AstNode, Place)) {
    let (left, right) = match op {
        BinaryOp::ColonEqual => (Place::Name, Place::Value),
        BinaryOp::FocusBind | BinaryOp::IndexBind => (Place::Value, Place::Name),
        BinaryOp::ChainPipe => (Place::Value, Place::Pipe),
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
        | BinaryOp::Concatenate
        | BinaryOp::Range
        | BinaryOp::In
        | BinaryOp::Coalesce
        | BinaryOp::Default => (Place::Value, Place::Value),
    };
    visit(lhs, left);
    visit(rhs, right);
}
