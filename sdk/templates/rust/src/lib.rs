//! A task: prices an order.

use serde::{Deserialize, Serialize};
use stepwell::{Context, TaskError};

#[derive(Deserialize)]
struct Order {
    sku: String,
    quantity: u32,
}

#[derive(Debug, PartialEq, Serialize)]
struct Quote {
    total: u32,
}

/// Each variant is an error that a workflow can match by name.
#[derive(Debug, PartialEq, TaskError)]
enum Refusal {
    #[task_error(cause = "no price for {0}")]
    PriceUnavailable(String),
}

#[stepwell::task]
fn quote(order: Order, ctx: Context) -> Result<Quote, Refusal> {
    let price = match order.sku.as_str() {
        "book" => 1_999,
        _ => return Err(Refusal::PriceUnavailable(order.sku)),
    };
    stepwell::log::info!("priced {} x {} in attempt {}", order.quantity, order.sku, ctx.attempt);
    Ok(Quote { total: price * order.quantity })
}

#[cfg(test)]
mod tests {
    use stepwell::testing;

    use super::*;

    fn order(sku: &str, quantity: u32) -> Order {
        Order { sku: sku.to_owned(), quantity }
    }

    #[test]
    fn a_quote_is_the_price_times_the_quantity() {
        testing::reset();
        assert_eq!(quote(order("book", 2), Context::default()), Ok(Quote { total: 3_998 }));
        assert_eq!(testing::log_lines()[0].message, "priced 2 x book in attempt 0");
    }

    #[test]
    fn what_has_no_price_is_refused_by_name() {
        let error = quote_json(r#"{"sku":"tea","quantity":1}"#).unwrap_err();
        assert_eq!((error.error(), error.cause()), ("PriceUnavailable", "no price for tea"));
    }
}
