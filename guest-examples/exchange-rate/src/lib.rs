//! `exchange-rate`: converts an amount of money at the rate of the day, which an HTTP API tells.
//!
//! The address of the API is in the environment, its key is a secret, and `module.toml` beside this package asks for both
//! and for the request. Amounts are in minor units; no binary fraction gets near them.

mod decimal;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stepwell::http::{self, HttpError};
use stepwell::{OrTaskError, TaskError};

use decimal::Decimal;

/// Names the API: it answers `GET …?base=EUR&symbols=USD`.
const URL_VARIABLE: &str = "RATES_URL";
const KEY_SECRET: &str = "rates-key";
/// How long the API may take to answer, in milliseconds, where that is told.
const PATIENCE_VARIABLE: &str = "RATES_PATIENCE_MS";
/// A retry is better than a long wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// One rate takes a few hundred bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

#[derive(Clone, Debug, Deserialize)]
struct Conversion {
    /// In minor units of `from`.
    amount: u64,
    from: String,
    to: String,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Converted {
    /// In minor units of `currency`, rounded half up.
    amount: u64,
    currency: String,
    rate: String,
    /// The day of the rate.
    as_of: String,
}

/// What the API answers.
#[derive(Debug, Deserialize)]
struct Rates {
    date: String,
    rates: BTreeMap<String, serde_json::Number>,
}

#[stepwell::task]
fn exchange_rate(conversion: Conversion) -> Result<Converted, TaskError> {
    let Conversion { amount, from, to } = conversion;
    let (digits_from, digits_to) = (minor_digits(&from)?, minor_digits(&to)?);
    let url = std::env::var(URL_VARIABLE)
        .map_err(|_| TaskError::new("NotConfigured", format!("{URL_VARIABLE} is not in the environment")))?;
    let rates = rates(&url, &from, &to)?;
    let rate = rates.rates.get(&to).map(ToString::to_string).unwrap_or_default();
    let parsed = Decimal::parse(&rate).ok_or_else(|| no_rate(&from, &to))?;
    let amount = parsed
        .convert(amount, digits_from, digits_to)
        .ok_or_else(|| TaskError::new("AmountTooLarge", format!("{amount} {from} at {rate}")))?;
    stepwell::log::info!("1 {from} is {rate} {to} on {}", rates.date);
    Ok(Converted { amount, currency: to, rate, as_of: rates.date })
}

fn rates(url: &str, from: &str, to: &str) -> Result<Rates, TaskError> {
    let key = stepwell::secret(KEY_SECRET).or_task_error("NoRatesKey")?;
    let answer = http::get(url)
        .query("base", from)
        .query("symbols", to)
        .header("authorization", format!("Bearer {key}"))
        .timeout(patience()?)
        .response_bytes_max(ANSWER_BYTES_MAX)
        .send()?;
    match answer.ok() {
        Ok(answer) => Ok(answer.json()?),
        Err(HttpError::Status { status: 404, .. }) => Err(no_rate(from, to)),
        // Such as Http.StatusCode.503, for a Retry block to match.
        Err(error) => Err(error.into()),
    }
}

fn patience() -> Result<Duration, TaskError> {
    let Ok(told) = std::env::var(PATIENCE_VARIABLE) else { return Ok(PATIENCE) };
    let milliseconds = told.parse().map_err(|_| {
        TaskError::new("NotConfigured", format!("{PATIENCE_VARIABLE} is no number of milliseconds: {told:?}"))
    })?;
    Ok(Duration::from_millis(milliseconds))
}

fn no_rate(from: &str, to: &str) -> TaskError {
    TaskError::new("NoRate", format!("there is no rate from {from} to {to}"))
}

/// How many digits of a currency come after the point.
fn minor_digits(currency: &str) -> Result<u32, TaskError> {
    match currency {
        "CHF" | "EUR" | "GBP" | "SEK" | "USD" => Ok(2),
        "JPY" | "KRW" => Ok(0),
        "BHD" | "KWD" => Ok(3),
        _ => Err(TaskError::new("UnsupportedCurrency", format!("{currency:?} is none that is converted"))),
    }
}

#[cfg(test)]
mod tests {
    use stepwell::http::Response;
    use stepwell::testing;

    use super::*;

    const URL: &str = "https://rates.example.com/latest";
    const ANSWER: &str =
        r#"{"base":"EUR","date":"2026-11-27","rates":{"USD":1.0837,"JPY":169.25,"GBP":1e-7}}"#;

    fn answering(status: u16, body: &'static str) {
        testing::reset();
        testing::set_secret(KEY_SECRET, "k-1");
        testing::answer_http(move |_| Ok(Response::new(status, body)));
    }

    fn refused(status: u16, body: &'static str) -> String {
        answering(status, body);
        rates(URL, "EUR", "USD").expect_err("it is refused").error().to_owned()
    }

    #[test]
    fn the_api_is_asked_with_its_key() {
        answering(200, ANSWER);
        let rates = rates(URL, "EUR", "USD").unwrap();
        assert_eq!((rates.date.as_str(), rates.rates["USD"].to_string().as_str()), ("2026-11-27", "1.0837"));
        let asked = testing::http_requests();
        assert_eq!(asked[0].url(), "https://rates.example.com/latest?base=EUR&symbols=USD");
        assert_eq!(asked[0].headers(), [("authorization".to_owned(), "Bearer k-1".to_owned())]);
    }

    #[test]
    fn what_the_api_refuses_has_a_name() {
        assert_eq!(refused(404, ""), "NoRate");
        assert_eq!(refused(503, "busy"), "Http.StatusCode.503");
        assert_eq!(refused(200, "<html>"), "Http.InvalidResponse");
        testing::reset();
        assert_eq!(rates(URL, "EUR", "USD").unwrap_err().error(), "NoRatesKey");
        testing::set_secret(KEY_SECRET, "k-1");
        assert_eq!(rates(URL, "EUR", "USD").unwrap_err().error(), "Http.Denied");
    }

    #[test]
    fn nothing_is_asked_for_a_currency_that_is_not_converted() {
        testing::reset();
        let error = exchange_rate_json(r#"{"amount":1,"from":"EUR","to":"XXX"}"#).unwrap_err();
        assert_eq!(
            (error.error(), error.cause()),
            ("UnsupportedCurrency", "\"XXX\" is none that is converted")
        );
        let error = exchange_rate_json(r#"{"amount":1,"from":"EUR","to":"USD"}"#).unwrap_err();
        assert_eq!(error.error(), "NotConfigured");
        assert!(testing::http_requests().is_empty());
    }
}
