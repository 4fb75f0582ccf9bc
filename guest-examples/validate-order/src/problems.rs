//! What is wrong with an order, all of it, each with the place in the input.

use std::collections::BTreeSet;

use crate::{Item, Order};

const ITEMS_MAX: usize = 100;
const QUANTITY_MAX: u32 = 999;

/// A hundred thousand in a currency with cents. It keeps every sum far away from overflow.
const UNIT_PRICE_MAX: u64 = 10_000_000;

/// The problems of `order` in the order of its fields; empty for a good one.
pub(crate) fn of(order: &Order) -> Vec<String> {
    let mut problems = Vec::new();
    check_id("orderId", &order.order_id, &mut problems);
    check_id("customer.id", &order.customer.id, &mut problems);
    if order.customer.name.trim().is_empty() {
        problems.push("customer.name: missing".to_owned());
    }
    if !is_address(&order.customer.email) {
        problems.push("customer.email: not an address".to_owned());
    }
    if order.items.is_empty() || order.items.len() > ITEMS_MAX {
        problems.push(format!("items: must be 1 to {ITEMS_MAX}, are {}", order.items.len()));
    }
    let mut skus = BTreeSet::new();
    for (index, item) in order.items.iter().take(ITEMS_MAX).enumerate() {
        check_item(index, item, &mut problems);
        if !skus.insert(item.sku.as_str()) {
            problems.push(format!("items[{index}].sku: {} is on an earlier line already", item.sku));
        }
    }
    problems
}

fn check_item(index: usize, item: &Item, problems: &mut Vec<String>) {
    check_id(&format!("items[{index}].sku"), &item.sku, problems);
    if item.description.trim().is_empty() {
        problems.push(format!("items[{index}].description: missing"));
    }
    if !(1..=QUANTITY_MAX).contains(&item.quantity) {
        problems.push(format!("items[{index}].quantity: must be 1 to {QUANTITY_MAX}, is {}", item.quantity));
    }
    if !(1..=UNIT_PRICE_MAX).contains(&item.unit_price) {
        let price = item.unit_price;
        problems.push(format!("items[{index}].unitPrice: must be 1 to {UNIT_PRICE_MAX}, is {price}"));
    }
}

fn check_id(field: &str, id: &str, problems: &mut Vec<String>) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.len() > 64 || !id.chars().all(allowed) {
        problems.push(format!("{field}: must be 1 to 64 letters, digits, '-', '_' or '.'"));
    }
}

/// Only what makes an address impossible is refused; whether it exists is for the mail server to say.
fn is_address(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else { return false };
    let labels_ok = domain.split('.').all(|label| !label.is_empty());
    !local.is_empty()
        && domain.contains('.')
        && labels_ok
        && email.len() <= 254
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::order;

    fn check(change: impl FnOnce(&mut Order), expected: &[&str]) {
        let mut order = order();
        change(&mut order);
        assert_eq!(of(&order), expected);
    }

    #[test]
    fn a_good_order_has_none() {
        check(|_| {}, &[]);
    }

    #[test]
    fn each_field_is_checked() {
        check(|o| o.order_id.clear(), &["orderId: must be 1 to 64 letters, digits, '-', '_' or '.'"]);
        check(|o| o.customer.name = " ".to_owned(), &["customer.name: missing"]);
        check(|o| o.items.clear(), &["items: must be 1 to 100, are 0"]);
        check(|o| o.items[1].sku = "book".to_owned(), &["items[1].sku: book is on an earlier line already"]);
        check(|o| o.items[1].quantity = 1_000, &["items[1].quantity: must be 1 to 999, is 1000"]);
        check(|o| o.items[0].unit_price = 0, &["items[0].unitPrice: must be 1 to 10000000, is 0"]);
        check(|o| o.items[0].description.clear(), &["items[0].description: missing"]);
    }

    #[test]
    fn addresses() {
        for good in ["a@b.c", "first.last+tag@mail.example.com", "\"a@b\"@c.d"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "a", "@b.c", "a@b", "a@b.", "a@.c", "a b@c.d", "a@b.c\n"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
