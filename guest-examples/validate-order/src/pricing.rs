//! Line totals, discount and tax, in minor units.

use crate::{Discount, Line, Order, PricedOrder, Refusal, Tax};

/// Currencies and how many digits of the amount are its fraction.
const CURRENCIES: [(&str, u32); 6] = [("CHF", 2), ("EUR", 2), ("GBP", 2), ("JPY", 0), ("KWD", 3), ("USD", 2)];

/// Regions and their tax in hundredths of a percent.
const TAX_RATES: [(&str, u64); 10] = [
    ("CH", 810),
    ("DE", 1_900),
    ("FR", 2_000),
    ("GB", 2_000),
    ("IE", 2_300),
    ("JP", 1_000),
    ("KW", 0),
    ("US-CA", 725),
    ("US-NY", 400),
    ("US-OR", 0),
];

const WHOLE_BASIS_POINTS: u64 = 10_000;

/// A checked order with its price.
///
/// # Errors
/// When the currency, the region or the discount code isn't known.
pub(crate) fn price(order: Order) -> Result<PricedOrder, Refusal> {
    let Some(&(_, digits)) = CURRENCIES.iter().find(|(code, _)| *code == order.currency) else {
        return Err(Refusal::UnsupportedCurrency(order.currency));
    };
    let Some(&(_, rate_basis_points)) = TAX_RATES.iter().find(|(region, _)| *region == order.customer.region)
    else {
        return Err(Refusal::UnsupportedRegion(order.customer.region));
    };
    let lines: Vec<_> = order.items.into_iter().enumerate().map(|(index, item)| line(index, item)).collect();
    let subtotal = lines.iter().map(|line| line.line_total).sum();
    let discount = discount(order.discount_code, &lines, subtotal)?;
    let taxed = subtotal - discount.amount;
    let tax = Tax { rate_basis_points, amount: share(taxed, rate_basis_points) };
    let total = taxed + tax.amount;
    Ok(PricedOrder {
        order_id: order.order_id,
        customer: order.customer,
        total_text: amount_text(&order.currency, digits, total),
        currency: order.currency,
        lines,
        subtotal,
        discount,
        tax,
        total,
    })
}

fn line(index: usize, item: crate::Item) -> Line {
    Line {
        line: index + 1,
        line_total: item.unit_price * u64::from(item.quantity),
        sku: item.sku,
        description: item.description,
        quantity: item.quantity,
        unit_price: item.unit_price,
    }
}

fn discount(code: Option<String>, lines: &[Line], subtotal: u64) -> Result<Discount, Refusal> {
    let amount = match code.as_deref() {
        None => 0,
        Some("WELCOME10") => share(subtotal, 1_000),
        // A tenth off the lines with ten pieces or more.
        Some("BULK10") => {
            let bulk = lines.iter().filter(|line| line.quantity >= 10).map(|line| line.line_total).sum();
            share(bulk, 1_000)
        }
        // The cheapest line costs nothing, as long as there are three.
        Some("THREEFOR2") if lines.len() >= 3 => lines.iter().map(|line| line.line_total).min().unwrap_or(0),
        Some("THREEFOR2") => 0,
        Some(unknown) => return Err(Refusal::UnknownDiscount(unknown.to_owned())),
    };
    Ok(Discount { code, amount })
}

/// The share of an amount, rounded half up.
fn share(amount: u64, basis_points: u64) -> u64 {
    (amount * basis_points + WHOLE_BASIS_POINTS / 2) / WHOLE_BASIS_POINTS
}

fn amount_text(currency: &str, digits: u32, amount: u64) -> String {
    let unit = 10_u64.pow(digits);
    match digits {
        0 => format!("{currency} {amount}"),
        _ => format!("{currency} {}.{:0width$}", amount / unit, amount % unit, width = digits as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::order;

    fn check(change: impl FnOnce(&mut Order), expected: Result<(u64, u64, u64, &str), &Refusal>) {
        let mut order = order();
        change(&mut order);
        let priced = price(order);
        let summary = priced.as_ref().map(|priced| {
            (priced.discount.amount, priced.tax.amount, priced.total, priced.total_text.as_str())
        });
        assert_eq!(summary, expected);
    }

    #[test]
    fn discounts_come_off_before_tax() {
        check(|o| o.discount_code = Some("WELCOME10".to_owned()), Ok((825, 1_410, 8_833, "EUR 88.33")));
        check(|o| o.discount_code = Some("THREEFOR2".to_owned()), Ok((0, 1_567, 9_815, "EUR 98.15")));
        check(
            |o| {
                o.items[1].quantity = 10;
                o.discount_code = Some("BULK10".to_owned());
            },
            Ok((250, 1_947, 12_195, "EUR 121.95")),
        );
    }

    #[test]
    fn the_region_decides_the_tax() {
        check(|o| o.customer.region = "US-OR".to_owned(), Ok((0, 0, 8_248, "EUR 82.48")));
        check(|o| o.customer.region = "CH".to_owned(), Ok((0, 668, 8_916, "EUR 89.16")));
    }

    #[test]
    fn the_currency_decides_the_fraction() {
        check(|o| o.currency = "JPY".to_owned(), Ok((0, 1_567, 9_815, "JPY 9815")));
        check(|o| o.currency = "KWD".to_owned(), Ok((0, 1_567, 9_815, "KWD 9.815")));
    }

    #[test]
    fn unknown_codes_are_named() {
        check(|o| o.currency = "XXX".to_owned(), Err(&Refusal::UnsupportedCurrency("XXX".to_owned())));
        check(|o| o.customer.region = "AQ".to_owned(), Err(&Refusal::UnsupportedRegion("AQ".to_owned())));
        check(
            |o| o.discount_code = Some("FREE".to_owned()),
            Err(&Refusal::UnknownDiscount("FREE".to_owned())),
        );
    }

    #[test]
    fn shares_round_half_up() {
        for (amount, basis_points, expected) in
            [(5, 1_000, 1), (4, 1_000, 0), (10_000, 725, 725), (0, 1_900, 0)]
        {
            assert_eq!(share(amount, basis_points), expected);
        }
    }
}
