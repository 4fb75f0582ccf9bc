//! `render-receipt`: renders a paid order as an HTML page.
//!
//! Everything that comes from the input is escaped; the page loads nothing, so it can be mailed as it is.

mod html;

use serde::{Deserialize, Serialize};
use stepwell::TaskError;

/// AWS limit on a task's output, less room for the JSON around and within the page.
const HTML_BYTES_MAX: usize = 200_000;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: String,
    customer: Customer,
    currency: String,
    lines: Vec<Line>,
    subtotal: u64,
    discount: Discount,
    tax: Tax,
    total: u64,
    payment_id: String,
    #[serde(default)]
    shipments: Vec<Shipment>,
}

#[derive(Clone, Debug, Deserialize)]
struct Customer {
    name: String,
    email: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    description: String,
    quantity: u32,
    unit_price: u64,
    line_total: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct Discount {
    code: Option<String>,
    amount: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tax {
    rate_basis_points: u64,
    amount: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shipment {
    sku: String,
    carrier: String,
    estimated_days: u32,
    parcels: Vec<Parcel>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parcel {
    tracking_number: String,
}

#[derive(Debug, PartialEq, Serialize)]
struct Receipt {
    title: String,
    html: String,
    bytes: usize,
}

#[derive(Debug, PartialEq, TaskError)]
enum Refusal {
    #[task_error(cause = "the amounts add up to {sum}, the order says {stated}")]
    ReceiptDoesNotAddUp { sum: u64, stated: u64 },
    #[task_error(cause = "the page has {0} bytes, at most {HTML_BYTES_MAX} fit into a result")]
    ReceiptTooLarge(usize),
}

#[stepwell::task]
fn render_receipt(order: Order) -> Result<Receipt, Refusal> {
    check_sums(&order)?;
    let title = format!("Receipt for order {}", order.order_id);
    let html = html::page(&title, &order);
    if html.len() > HTML_BYTES_MAX {
        return Err(Refusal::ReceiptTooLarge(html.len()));
    }
    Ok(Receipt { title, bytes: html.len(), html })
}

/// A receipt that doesn't add up must never reach a customer.
fn check_sums(order: &Order) -> Result<(), Refusal> {
    let sum = order.lines.iter().fold(0_u64, |sum, line| sum.saturating_add(line.line_total));
    if sum != order.subtotal {
        return Err(Refusal::ReceiptDoesNotAddUp { sum, stated: order.subtotal });
    }
    let total = order.subtotal.saturating_sub(order.discount.amount).saturating_add(order.tax.amount);
    if total != order.total {
        return Err(Refusal::ReceiptDoesNotAddUp { sum: total, stated: order.total });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order {
            order_id: "ord-1".to_owned(),
            customer: Customer { name: "Ada <Admin>".to_owned(), email: "ada@example.com".to_owned() },
            currency: "EUR".to_owned(),
            lines: vec![Line {
                description: "Tea & \"biscuits\"".to_owned(),
                quantity: 2,
                unit_price: 500,
                line_total: 1_000,
            }],
            subtotal: 1_000,
            discount: Discount { code: Some("WELCOME10".to_owned()), amount: 100 },
            tax: Tax { rate_basis_points: 1_900, amount: 171 },
            total: 1_071,
            payment_id: "pay_1".to_owned(),
            shipments: vec![Shipment {
                sku: "tea".to_owned(),
                carrier: "Hanse Parcel".to_owned(),
                estimated_days: 2,
                parcels: vec![Parcel { tracking_number: "HP1".to_owned() }],
            }],
        }
    }

    #[test]
    fn the_page_shows_the_order() {
        let receipt = render_receipt(order()).unwrap();
        assert_eq!(receipt.title, "Receipt for order ord-1");
        assert_eq!(receipt.bytes, receipt.html.len());
        for text in
            ["EUR 5.00", "EUR 10.71", "19 %", "− EUR 1.00", "WELCOME10", "pay_1", "HP1", "Hanse Parcel"]
        {
            assert!(receipt.html.contains(text), "{text} is missing in\n{}", receipt.html);
        }
    }

    #[test]
    fn what_the_customer_wrote_is_escaped() {
        let html = render_receipt(order()).unwrap().html;
        assert!(html.contains("Ada &lt;Admin&gt;"), "{html}");
        assert!(html.contains("Tea &amp; &quot;biscuits&quot;"), "{html}");
        assert!(!html.contains("<Admin>"), "{html}");
    }

    #[test]
    fn an_order_that_does_not_add_up_is_refused() {
        let refusal = Refusal::ReceiptDoesNotAddUp { sum: 1_000, stated: 999 };
        assert_eq!(render_receipt(Order { subtotal: 999, ..order() }), Err(refusal));
        let refusal = Refusal::ReceiptDoesNotAddUp { sum: 1_071, stated: 1_072 };
        assert_eq!(render_receipt(Order { total: 1_072, ..order() }), Err(refusal));
    }

    #[test]
    fn a_page_too_large_for_a_result_is_refused() {
        let line = Line { description: "x".repeat(1_000), quantity: 1, unit_price: 0, line_total: 0 };
        let lines = std::iter::repeat_n(line, 250).collect();
        let large = Order {
            lines,
            subtotal: 0,
            discount: Discount { code: None, amount: 0 },
            tax: Tax { rate_basis_points: 0, amount: 0 },
            total: 0,
            ..order()
        };
        assert!(matches!(render_receipt(large), Err(Refusal::ReceiptTooLarge(200_001..))));
    }
}
