//! GetExecutionHistory.

use engine::arn::ExecutionArn;
use store::{HistoryQuery, Order, Store};

use super::describe::{find_execution, history_end};
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::history_event::{self, Payloads};
use super::page::{self, Listing, PageRequest};
use crate::app::{App, now};

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("executionArn", TextRule::ARN)?;
    let reverse = fields.flag("reverseOrder")?.unwrap_or(false);
    let included = fields.flag("includeExecutionData")?.unwrap_or(true);
    let request = PageRequest::read(&mut fields, TextRule::PAGE_TOKEN)?;
    fields.finish()?;

    let arn = ExecutionArn::parse(&arn)?;
    let order = if reverse { Order::Reverse } else { Order::Forward };
    let parts = ["GetExecutionHistory", arn.as_str(), if reverse { "reverse" } else { "forward" }];
    let (listing, now) = (Listing(&parts), now());
    let from = request.position(&listing, now)?;
    let (id, record) = find_execution(app, &arn).await?;
    let last_lsn = history_end(app, id, &record).await?;
    let query = HistoryQuery { execution: id, last_lsn, order, from, max: request.max_results() };
    let events = app.store().history(query).await?;
    let payloads = if included { Payloads::Included } else { Payloads::Left };
    let items = events.items.iter().map(|event| history_event::render(event, payloads)).collect();
    Ok(page::answer("events", items, events.next.as_ref(), &listing, now))
}
