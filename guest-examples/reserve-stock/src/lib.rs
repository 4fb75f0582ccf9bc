//! `reserve-stock`: finds the stock for one line of an order and says which warehouse sends how much.
//!
//! One warehouse that can send all of it is best, and of those the one with the least left over; otherwise the
//! fullest ones together, so that the order travels in few parcels.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use stepwell::TaskError;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    order_id: String,
    line: Line,
    inventory: Vec<Stock>,
}

#[derive(Clone, Debug, Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
}

#[derive(Clone, Debug, Deserialize)]
struct Stock {
    warehouse: String,
    sku: String,
    quantity: u32,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    reservation_id: String,
    order_id: String,
    sku: String,
    quantity: u32,
    allocations: Vec<Allocation>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Allocation {
    warehouse: String,
    quantity: u32,
}

#[derive(Debug, PartialEq, TaskError)]
enum Refusal {
    #[task_error(cause = "{wanted} of {sku} are wanted, {available} are there")]
    OutOfStock { sku: String, wanted: u32, available: u64 },
    #[task_error(cause = "no warehouse keeps {0}")]
    UnknownSku(String),
    #[task_error(cause = "a quantity of 0 reserves nothing")]
    InvalidQuantity,
}

#[stepwell::task]
fn reserve_stock(request: Request) -> Result<Reservation, Refusal> {
    let Line { sku, quantity } = request.line;
    if quantity == 0 {
        return Err(Refusal::InvalidQuantity);
    }
    let mut stocks: Vec<_> = request.inventory.into_iter().filter(|stock| stock.sku == sku).collect();
    if stocks.is_empty() {
        return Err(Refusal::UnknownSku(sku));
    }
    let available = stocks.iter().map(|stock| u64::from(stock.quantity)).sum();
    if u64::from(quantity) > available {
        return Err(Refusal::OutOfStock { sku, wanted: quantity, available });
    }
    stocks.sort_by(|a, b| (Reverse(a.quantity), &a.warehouse).cmp(&(Reverse(b.quantity), &b.warehouse)));
    let allocations = allocate(stocks, quantity);
    stepwell::log::info!("{quantity} of {sku} from {} warehouses", allocations.len());
    let reservation_id = format!("res-{}-{sku}", request.order_id);
    Ok(Reservation { reservation_id, order_id: request.order_id, sku, quantity, allocations })
}

/// Takes `quantity` from stocks that hold enough together; the fullest stock comes first.
fn allocate(mut stocks: Vec<Stock>, quantity: u32) -> Vec<Allocation> {
    let sufficient = stocks.iter().take_while(|stock| stock.quantity >= quantity).count();
    if let Some(tightest) = sufficient.checked_sub(1) {
        let warehouse = stocks.swap_remove(tightest).warehouse;
        return vec![Allocation { warehouse, quantity }];
    }
    let mut missing = quantity;
    let mut allocations = Vec::new();
    for stock in stocks {
        let taken = stock.quantity.min(missing);
        if taken == 0 {
            break;
        }
        missing -= taken;
        allocations.push(Allocation { warehouse: stock.warehouse, quantity: taken });
    }
    allocations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(quantity: u32, stock: &[(&str, u32)], expected: Result<&[(&str, u32)], Refusal>) {
        let inventory = stock.iter().map(|(warehouse, quantity)| Stock {
            warehouse: (*warehouse).to_owned(),
            sku: "book".to_owned(),
            quantity: *quantity,
        });
        let line = Line { sku: "book".to_owned(), quantity };
        let request = Request { order_id: "ord-1".to_owned(), line, inventory: inventory.collect() };
        let reserved = reserve_stock(request).map(|reservation| {
            assert_eq!(reservation.reservation_id, "res-ord-1-book");
            assert_eq!(reservation.allocations.iter().map(|a| a.quantity).sum::<u32>(), quantity);
            reservation.allocations
        });
        let expected = expected.map(|allocations| {
            let each = allocations.iter().map(|(warehouse, quantity)| Allocation {
                warehouse: (*warehouse).to_owned(),
                quantity: *quantity,
            });
            each.collect::<Vec<_>>()
        });
        assert_eq!(reserved, expected);
    }

    #[test]
    fn one_warehouse_is_best_and_the_tightest_of_those() {
        check(5, &[("A", 100), ("B", 6), ("C", 4)], Ok(&[("B", 5)]));
        check(6, &[("A", 100), ("B", 6)], Ok(&[("B", 6)]));
        check(1, &[("A", 0), ("B", 1)], Ok(&[("B", 1)]));
    }

    #[test]
    fn otherwise_the_fullest_send_together() {
        check(9, &[("A", 3), ("B", 6), ("C", 5)], Ok(&[("B", 6), ("C", 3)]));
        check(14, &[("A", 3), ("B", 6), ("C", 5)], Ok(&[("B", 6), ("C", 5), ("A", 3)]));
        check(8, &[("B", 5), ("A", 5)], Ok(&[("A", 5), ("B", 3)]));
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        let refusal = Refusal::OutOfStock { sku: "book".to_owned(), wanted: 15, available: 14 };
        check(15, &[("A", 3), ("B", 6), ("C", 5)], Err(refusal));
        check(1, &[], Err(Refusal::UnknownSku("book".to_owned())));
        check(0, &[("A", 3)], Err(Refusal::InvalidQuantity));
    }
}
