//! `validate-order`: checks an order and prices it, in the currency's minor units (cents, yen).
//!
//! Every problem of an order is reported at once, under the error name `InvalidOrder`. The price is: line totals,
//! less a discount, plus the tax of the customer's region. Amounts are integers throughout; a share of an amount
//! is rounded half up, once.

mod pricing;
mod problems;

use serde::{Deserialize, Serialize};
use stepwell::TaskError;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: String,
    customer: Customer,
    /// ISO 4217.
    currency: String,
    items: Vec<Item>,
    discount_code: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    id: String,
    name: String,
    email: String,
    /// Decides the tax: a country, or country and state as in `US-CA`.
    region: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    sku: String,
    description: String,
    quantity: u32,
    unit_price: u64,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PricedOrder {
    order_id: String,
    customer: Customer,
    currency: String,
    lines: Vec<Line>,
    subtotal: u64,
    discount: Discount,
    tax: Tax,
    total: u64,
    /// The total as a person reads it, for example `EUR 101.84`.
    total_text: String,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    line: usize,
    sku: String,
    description: String,
    quantity: u32,
    unit_price: u64,
    line_total: u64,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Discount {
    code: Option<String>,
    amount: u64,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tax {
    /// Hundredths of a percent: 1900 is 19 %.
    rate_basis_points: u64,
    amount: u64,
}

#[derive(Debug, PartialEq, TaskError)]
enum Refusal {
    #[task_error(cause = "{0}")]
    InvalidOrder(String),
    #[task_error(cause = "no currency called {0}; known are EUR, USD, GBP, CHF, JPY and KWD")]
    UnsupportedCurrency(String),
    #[task_error(cause = "no tax rate for the region {0}")]
    UnsupportedRegion(String),
    #[task_error(cause = "no discount has the code {0}")]
    UnknownDiscount(String),
}

#[stepwell::task]
fn validate_order(order: Order) -> Result<PricedOrder, Refusal> {
    let problems = problems::of(&order);
    if !problems.is_empty() {
        return Err(Refusal::InvalidOrder(problems.join("; ")));
    }
    let priced = pricing::price(order)?;
    stepwell::log::info!("order {} costs {}", priced.order_id, priced.total_text);
    Ok(priced)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Two books and a pen, for a customer in Germany.
    pub(crate) fn order() -> Order {
        let item = |sku: &str, quantity, unit_price| Item {
            sku: sku.to_owned(),
            description: format!("The {sku}"),
            quantity,
            unit_price,
        };
        Order {
            order_id: "ord-1".to_owned(),
            customer: Customer {
                id: "cus-1".to_owned(),
                name: "Ada".to_owned(),
                email: "ada@example.com".to_owned(),
                region: "DE".to_owned(),
            },
            currency: "EUR".to_owned(),
            items: vec![item("book", 2, 3_999), item("pen", 1, 250)],
            discount_code: None,
        }
    }

    #[test]
    fn a_good_order_is_priced() {
        let priced = validate_order(order()).unwrap();
        assert_eq!((priced.subtotal, priced.tax.amount, priced.total), (8_248, 1_567, 9_815));
        assert_eq!(priced.total_text, "EUR 98.15");
        let lines: Vec<_> = priced.lines.iter().map(|line| (line.line, line.line_total)).collect();
        assert_eq!(lines, [(1, 7_998), (2, 250)]);
        assert!(stepwell::testing::log_lines()[0].message.contains("EUR 98.15"));
    }

    #[test]
    fn all_problems_come_in_one_error() {
        let mut bad = order();
        bad.items[0].quantity = 0;
        bad.customer.email = "nobody".to_owned();
        let refusal = validate_order(bad).expect_err("two problems");
        let cause = "customer.email: not an address; items[0].quantity: must be 1 to 999, is 0";
        assert_eq!(refusal, Refusal::InvalidOrder(cause.to_owned()));
    }

    #[test]
    fn json_that_is_no_order_names_the_place() {
        let input = r#"{"orderId":"a","customer":{"id":"c","name":"n","email":"e@x.y","region":"DE"},
            "currency":"EUR","items":[{"sku":"s","description":"d","quantity":1.5,"unitPrice":1}]}"#;
        let error = validate_order_json(input).expect_err("half a book");
        assert_eq!(error.error(), "InvalidInput");
        assert!(error.cause().starts_with("items[0].quantity: invalid type: floating point"), "{error}");
    }
}
