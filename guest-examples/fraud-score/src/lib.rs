//! `fraud-score`: scores how likely an order is fraud, from 0 to 100, and says which signals made the score.
//!
//! Each signal is a small rule over the order; points add up and the sum is capped. The answer names every signal
//! that counted, heaviest first, so that a person can check the decision.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

const SCORE_MAX: u32 = 100;
const MEDIUM_FROM: u32 = 30;
const HIGH_FROM: u32 = 60;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: String,
    /// In minor units.
    amount: u64,
    customer: Customer,
    payment: Payment,
    /// The countries, as in ISO 3166, that the order came from and goes to.
    ip_country: String,
    shipping_country: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    email: String,
    account_age_days: u32,
    past_orders: u32,
    past_chargebacks: u32,
    /// In minor units; 0 for a first order.
    average_amount: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    card_country: String,
    attempts_last_hour: u32,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Score {
    order_id: String,
    score: u32,
    level: Level,
    signals: Vec<Signal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Level {
    Low,
    Medium,
    High,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Signal {
    name: &'static str,
    points: u32,
    reason: String,
}

#[stepwell::task]
fn fraud_score(order: Order) -> Score {
    let rules =
        [chargebacks, card_attempts, countries, unusual_amount, new_account, disposable_address, odd_address];
    let mut signals: Vec<_> = rules.iter().filter_map(|rule| rule(&order)).collect();
    signals.sort_by_key(|signal| Reverse(signal.points));
    let points = signals.iter().map(|signal| signal.points).sum::<u32>();
    let score = points.min(SCORE_MAX);
    let level = match score {
        HIGH_FROM.. => Level::High,
        MEDIUM_FROM.. => Level::Medium,
        _ => Level::Low,
    };
    stepwell::log::info!("order {}: {score} points from {} signals", order.order_id, signals.len());
    Score { order_id: order.order_id, score, level, signals }
}

fn signal(name: &'static str, points: u32, reason: String) -> Option<Signal> {
    (points > 0).then_some(Signal { name, points, reason })
}

fn chargebacks(order: &Order) -> Option<Signal> {
    let count = order.customer.past_chargebacks;
    signal(
        "chargebacks",
        count.saturating_mul(25).min(50),
        format!("{count} earlier payments were taken back"),
    )
}

fn card_attempts(order: &Order) -> Option<Signal> {
    let attempts = order.payment.attempts_last_hour;
    // Two attempts are a typing error; each one more is a guess.
    let points = attempts.saturating_sub(2).saturating_mul(8).min(40);
    signal("cardAttempts", points, format!("the card was tried {attempts} times within an hour"))
}

fn countries(order: &Order) -> Option<Signal> {
    let card = order.payment.card_country.as_str();
    let pairs = [("the order comes from", &order.ip_country), ("it is shipped to", &order.shipping_country)];
    let differing: Vec<_> = pairs
        .iter()
        .filter(|(_, country)| **country != card)
        .map(|(text, c)| format!("{text} {c}"))
        .collect();
    let points = [0, 12, 25][differing.len()];
    signal("countries", points, format!("the card is from {card}, but {}", differing.join(" and ")))
}

fn unusual_amount(order: &Order) -> Option<Signal> {
    let usual = order.customer.average_amount;
    let times = order.amount.checked_div(usual)?;
    let points = match times {
        10.. => 25,
        5.. => 15,
        3.. => 8,
        _ => 0,
    };
    signal("unusualAmount", points, format!("the amount is {times} times the customer's average"))
}

fn new_account(order: &Order) -> Option<Signal> {
    let customer = &order.customer;
    let points = match (customer.account_age_days, customer.past_orders) {
        (0, 0) => 20,
        (..=6, 0) => 12,
        (..=29, 0) => 5,
        _ => 0,
    };
    signal("newAccount", points, format!("first order, {} days after signing up", customer.account_age_days))
}

fn disposable_address(order: &Order) -> Option<Signal> {
    const DOMAINS: [&str; 4] = ["mailinator.com", "guerrillamail.com", "10minutemail.com", "yopmail.com"];
    let (_, domain) = order.customer.email.rsplit_once('@')?;
    let domain = domain.to_ascii_lowercase();
    let points = if DOMAINS.contains(&domain.as_str()) { 20 } else { 0 };
    signal("disposableAddress", points, format!("{domain} gives out addresses for ten minutes"))
}

fn odd_address(order: &Order) -> Option<Signal> {
    let (local, _) = order.customer.email.rsplit_once('@')?;
    let digits = local.bytes().filter(u8::is_ascii_digit).count();
    let points = if digits >= 5 && digits * 2 > local.len() { 6 } else { 0 };
    signal("oddAddress", points, format!("{digits} of {} characters of the address are digits", local.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regular() -> Order {
        Order {
            order_id: "ord-1".to_owned(),
            amount: 5_000,
            customer: Customer {
                email: "ada@example.com".to_owned(),
                account_age_days: 900,
                past_orders: 12,
                past_chargebacks: 0,
                average_amount: 4_000,
            },
            payment: Payment { card_country: "DE".to_owned(), attempts_last_hour: 1 },
            ip_country: "DE".to_owned(),
            shipping_country: "DE".to_owned(),
        }
    }

    fn check(change: impl FnOnce(&mut Order), level: Level, expected: &[(&str, u32)]) {
        let mut order = regular();
        change(&mut order);
        let score = fraud_score(order);
        let signals: Vec<_> = score.signals.iter().map(|signal| (signal.name, signal.points)).collect();
        assert_eq!((score.level, signals.as_slice()), (level, expected));
    }

    #[test]
    fn a_regular_customer_has_no_signals() {
        check(|_| {}, Level::Low, &[]);
    }

    #[test]
    fn each_signal_counts() {
        check(|o| o.customer.past_chargebacks = 1, Level::Low, &[("chargebacks", 25)]);
        check(|o| o.customer.past_chargebacks = 9, Level::Medium, &[("chargebacks", 50)]);
        check(|o| o.payment.attempts_last_hour = 4, Level::Low, &[("cardAttempts", 16)]);
        check(|o| o.ip_country = "BR".to_owned(), Level::Low, &[("countries", 12)]);
        check(|o| o.payment.card_country = "BR".to_owned(), Level::Low, &[("countries", 25)]);
        check(|o| o.amount = 20_000, Level::Low, &[("unusualAmount", 15)]);
        check(|o| o.customer.email = "x@Yopmail.com".to_owned(), Level::Low, &[("disposableAddress", 20)]);
        check(|o| o.customer.email = "a12345@example.com".to_owned(), Level::Low, &[("oddAddress", 6)]);
    }

    #[test]
    fn a_first_order_has_no_average_to_compare_with() {
        check(
            |o| {
                o.customer.past_orders = 0;
                o.customer.average_amount = 0;
                o.customer.account_age_days = 3;
            },
            Level::Low,
            &[("newAccount", 12)],
        );
    }

    #[test]
    fn signals_add_up_heaviest_first_and_stop_at_a_hundred() {
        let mut order = regular();
        order.customer.past_chargebacks = 2;
        order.payment.attempts_last_hour = 20;
        order.payment.card_country = "BR".to_owned();
        let score = fraud_score(order);
        assert_eq!((score.score, score.level), (100, Level::High));
        let reasons: Vec<_> = score.signals.iter().map(|signal| signal.reason.as_str()).collect();
        let expected = [
            "2 earlier payments were taken back",
            "the card was tried 20 times within an hour",
            "the card is from BR, but the order comes from DE and it is shipped to DE",
        ];
        assert_eq!(reasons, expected);
    }
}
