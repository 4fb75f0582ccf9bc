//! Values and how they are computed: paths, intrinsic functions, templates, variables, the context object.

pub mod allowance;
pub mod evaluate;
pub mod flow;
pub mod inspection;
pub mod intrinsics;
pub mod json;
pub mod jsonata;
pub mod path;
pub mod scope;
pub mod text;
pub mod timestamp;
