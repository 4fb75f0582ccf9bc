//! `charge-payment`: a payment gateway that is busy now and then, to show Retry and Catch.
//!
//! With `"failFirstAttempts": 2` the first two attempts of the state fail with `PaymentGatewayBusy`, the third
//! succeeds. The card token `tok_declined` is declined, which no retry cures. The payment's id depends on the
//! order and the amount alone: charging again after a crash gives the same payment and not a second one.

use serde::{Deserialize, Serialize};
use stepwell::{Context, TaskError};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Charge {
    order_id: String,
    /// In minor units.
    amount: u64,
    currency: String,
    card_token: String,
    #[serde(default)]
    fail_first_attempts: u32,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    payment_id: String,
    order_id: String,
    amount: u64,
    currency: String,
    status: &'static str,
    /// How many attempts of this state it took.
    attempts: u32,
}

#[derive(Debug, PartialEq, TaskError)]
enum Failure {
    #[task_error(cause = "the gateway took no request at attempt {attempt}; try again")]
    PaymentGatewayBusy { attempt: u32 },
    #[task_error(cause = "the bank declined {amount} {currency}")]
    PaymentDeclined { amount: u64, currency: String },
    #[task_error(cause = "{0}")]
    InvalidPayment(&'static str),
}

#[stepwell::task]
fn charge_payment(charge: Charge, ctx: Context) -> Result<Payment, Failure> {
    check(&charge)?;
    if ctx.attempt < charge.fail_first_attempts {
        stepwell::log::warn!("gateway busy at attempt {}", ctx.attempt);
        return Err(Failure::PaymentGatewayBusy { attempt: ctx.attempt });
    }
    if charge.card_token == "tok_declined" {
        return Err(Failure::PaymentDeclined { amount: charge.amount, currency: charge.currency });
    }
    let key = format!("{}|{}|{}", charge.order_id, charge.amount, charge.currency);
    stepwell::log::info!("charged {} for order {}", charge.amount, charge.order_id);
    Ok(Payment {
        payment_id: format!("pay_{:016x}", fnv1a(key.as_bytes())),
        order_id: charge.order_id,
        amount: charge.amount,
        currency: charge.currency,
        status: "CAPTURED",
        attempts: ctx.attempt + 1,
    })
}

fn check(charge: &Charge) -> Result<(), Failure> {
    let currency_ok = charge.currency.len() == 3 && charge.currency.bytes().all(|b| b.is_ascii_uppercase());
    match charge {
        _ if charge.order_id.is_empty() => Err(Failure::InvalidPayment("orderId is empty")),
        _ if charge.amount == 0 => Err(Failure::InvalidPayment("amount is 0")),
        _ if !currency_ok => Err(Failure::InvalidPayment("currency isn't three capital letters")),
        _ if !charge.card_token.starts_with("tok_") => {
            Err(Failure::InvalidPayment("cardToken doesn't start with tok_"))
        }
        _ => Ok(()),
    }
}

/// A short digest that is the same everywhere; nothing secret depends on it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge() -> Charge {
        Charge {
            order_id: "ord-1".to_owned(),
            amount: 9_815,
            currency: "EUR".to_owned(),
            card_token: "tok_visa".to_owned(),
            fail_first_attempts: 2,
        }
    }

    fn at(attempt: u32) -> Context {
        Context { attempt, ..Context::default() }
    }

    #[test]
    fn the_gateway_is_busy_at_first() {
        for attempt in [0, 1] {
            assert_eq!(charge_payment(charge(), at(attempt)), Err(Failure::PaymentGatewayBusy { attempt }));
        }
        let payment = charge_payment(charge(), at(2)).unwrap();
        assert_eq!((payment.status, payment.attempts), ("CAPTURED", 3));
        assert_eq!(stepwell::testing::log_lines().len(), 3);
    }

    #[test]
    fn charging_twice_is_one_payment() {
        let first = charge_payment(charge(), at(2)).unwrap();
        let again = charge_payment(charge(), at(5)).unwrap();
        assert_eq!(first.payment_id, again.payment_id);
        let other = charge_payment(Charge { amount: 1, ..charge() }, at(2)).unwrap();
        assert_ne!(first.payment_id, other.payment_id);
    }

    #[test]
    fn a_declined_card_is_its_own_error() {
        let declined = Charge { card_token: "tok_declined".to_owned(), ..charge() };
        let error = TaskError::from(charge_payment(declined, at(9)).expect_err("declined"));
        assert_eq!(error, TaskError::new("PaymentDeclined", "the bank declined 9815 EUR"));
    }

    #[test]
    fn nonsense_is_refused_before_the_gateway_sees_it() {
        let bad = [
            (Charge { order_id: String::new(), ..charge() }, "orderId is empty"),
            (Charge { amount: 0, ..charge() }, "amount is 0"),
            (Charge { currency: "eur".to_owned(), ..charge() }, "currency isn't three capital letters"),
            (Charge { card_token: "4111".to_owned(), ..charge() }, "cardToken doesn't start with tok_"),
        ];
        for (charge, cause) in bad {
            assert_eq!(charge_payment(charge, at(0)), Err(Failure::InvalidPayment(cause)));
        }
    }
}
