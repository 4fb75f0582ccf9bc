//! The macros as the author of a task uses them, with the test double as the host.

use serde::{Deserialize, Serialize};
use stepwell::{Context, TaskError, testing};

#[derive(Deserialize)]
struct Order {
    sku: String,
    quantity: u32,
}

#[derive(Debug, PartialEq, Serialize)]
struct Quote {
    total: u32,
}

#[derive(Debug, PartialEq, TaskError)]
enum Refusal {
    #[task_error(cause = "no price for {sku}")]
    PriceUnavailable { sku: String },
    #[task_error(name = "Orders.TooMany", cause = "{0} is more than {1}")]
    TooMany(u32, u32),
}

#[stepwell::task]
fn quote(order: Order) -> Result<Quote, Refusal> {
    match (order.sku.as_str(), order.quantity) {
        ("book", quantity @ ..=10) => Ok(Quote { total: quantity * 1_999 }),
        ("book", quantity) => Err(Refusal::TooMany(quantity, 10)),
        (sku, _) => Err(Refusal::PriceUnavailable { sku: sku.to_owned() }),
    }
}

#[stepwell::task]
async fn report(order: Order, ctx: Context) -> String {
    stepwell::log::info!("attempt {} of {}", ctx.attempt, ctx.state_name);
    stepwell::heartbeat();
    async { format!("{} x {}", order.quantity, order.sku) }.await
}

type Outcome<T> = Result<T, TaskError>;

#[stepwell::task]
fn aliased(number: u8) -> Outcome<u8> {
    number.checked_mul(2).ok_or_else(|| TaskError::new("TooLarge", "the double is over 255"))
}

#[stepwell::task]
fn silent(_input: serde_json::Value) {}

#[test]
fn the_function_stays_callable() {
    assert_eq!(quote(Order { sku: "book".to_owned(), quantity: 2 }), Ok(Quote { total: 3_998 }));
}

#[test]
fn json_goes_in_and_comes_out() {
    assert_eq!(quote_json(r#"{"sku":"book","quantity":2}"#).as_deref(), Ok(r#"{"total":3998}"#));
    assert_eq!(aliased_json("21").as_deref(), Ok("42"));
    assert_eq!(silent_json(r#"{"any":1}"#).as_deref(), Ok("null"));
}

#[test]
fn failures_carry_the_names_of_variants() {
    let failures = [
        (quote_json(r#"{"sku":"tea","quantity":2}"#), "PriceUnavailable", "no price for tea"),
        (quote_json(r#"{"sku":"book","quantity":11}"#), "Orders.TooMany", "11 is more than 10"),
        (aliased_json("200"), "TooLarge", "the double is over 255"),
        (
            quote_json(r#"{"sku":"book","quantity":-1}"#),
            "InvalidInput",
            "quantity: invalid value: integer `-1`, expected u32 at line 1 column 27",
        ),
    ];
    for (outcome, error, cause) in failures {
        assert_eq!(outcome, Err(TaskError::new(error, cause)));
    }
}

#[test]
fn an_async_task_sees_its_context_and_reaches_the_host() {
    testing::reset();
    testing::set_context(Context { attempt: 3, state_name: "Report".to_owned(), ..Context::default() });
    assert_eq!(report_json(r#"{"sku":"book","quantity":2}"#).as_deref(), Ok(r#""2 x book""#));
    let lines = testing::log_lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0].level, lines[0].message.as_str()),
        (stepwell::log::Level::Info, "attempt 3 of Report")
    );
    assert_eq!(testing::heartbeats(), 1);
    testing::reset();
    assert!(testing::log_lines().is_empty());
}
