//! What a Task's `Resource` names.

/// A Task's `Resource`: the text, and what it names.
#[derive(Debug, Clone)]
pub struct Resource {
    pub arn: String,
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`: the raw payload goes in and comes out.
    Function,
    /// `arn:aws:states:REGION:ACCOUNT:activity:NAME`.
    Activity,
    /// `arn:aws:states:::SERVICE:ACTION[.PATTERN]`.
    Service {
        /// `lambda`, `aws-sdk:s3`: what history events call `resourceType`.
        service: String,
        /// `invoke`, `getObject`.
        action: String,
        pattern: Pattern,
    },
}

/// How a service task ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    RequestResponse,
    /// `.sync`
    Sync,
    /// `.sync:2`
    Sync2,
    /// `.waitForTaskToken`
    WaitForTaskToken,
}

impl Pattern {
    /// The suffix as it stands in the ARN and in the `resource` of history events.
    pub fn suffix(self) -> &'static str {
        match self {
            Pattern::RequestResponse => "",
            Pattern::Sync => ".sync",
            Pattern::Sync2 => ".sync:2",
            Pattern::WaitForTaskToken => ".waitForTaskToken",
        }
    }
}
