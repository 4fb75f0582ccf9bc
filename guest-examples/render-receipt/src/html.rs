//! The page. Text goes through [`Escaped`], numbers through [`amount`]; nothing else comes from the input.

use std::fmt::{self, Display, Write};

use crate::{Line, Order, Shipment};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}\
    table{border-collapse:collapse;width:100%}th,td{padding:.25rem .5rem;text-align:left;\
    border-bottom:1px solid #ccc}.amount{text-align:right;white-space:nowrap}tfoot tr:last-child{font-weight:bold}";

pub(crate) fn page(title: &str, order: &Order) -> String {
    let mut html = String::with_capacity(2_048);
    // Writing into a String can't fail.
    let _ = write_page(&mut html, title, order);
    html
}

fn write_page(html: &mut String, title: &str, order: &Order) -> fmt::Result {
    let title = Escaped(title);
    writeln!(html, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(html, "<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>")?;
    let (name, email) = (Escaped(&order.customer.name), Escaped(&order.customer.email));
    writeln!(html, "<p>{name}, {email}</p>\n<table>")?;
    writeln!(html, "<thead><tr><th>Item</th><th class=\"amount\">Quantity</th>")?;
    writeln!(html, "<th class=\"amount\">Price</th><th class=\"amount\">Total</th></tr></thead>\n<tbody>")?;
    for line in &order.lines {
        write_line(html, &order.currency, line)?;
    }
    writeln!(html, "</tbody>\n<tfoot>")?;
    write_sums(html, order)?;
    writeln!(html, "</tfoot>\n</table>\n<p>Paid: {}</p>", Escaped(&order.payment_id))?;
    if !order.shipments.is_empty() {
        writeln!(html, "<h2>Delivery</h2>\n<ul>")?;
        for shipment in &order.shipments {
            write_shipment(html, shipment)?;
        }
        writeln!(html, "</ul>")?;
    }
    writeln!(html, "</body>\n</html>")
}

fn write_line(html: &mut String, currency: &str, line: &Line) -> fmt::Result {
    let (price, total) = (amount(currency, line.unit_price), amount(currency, line.line_total));
    writeln!(html, "<tr><td>{}</td><td class=\"amount\">{}</td>", Escaped(&line.description), line.quantity)?;
    writeln!(html, "<td class=\"amount\">{price}</td><td class=\"amount\">{total}</td></tr>")
}

fn write_sums(html: &mut String, order: &Order) -> fmt::Result {
    let currency = &order.currency;
    let mut row = |label: &dyn Display, sum: &dyn Display| {
        writeln!(html, "<tr><td colspan=\"3\">{label}</td><td class=\"amount\">{sum}</td></tr>")
    };
    row(&"Subtotal", &amount(currency, order.subtotal))?;
    if let Some(code) = &order.discount.code {
        let sum = format!("− {}", amount(currency, order.discount.amount));
        row(&format_args!("Discount {}", Escaped(code)), &sum)?;
    }
    row(&format_args!("Tax {}", percent(order.tax.rate_basis_points)), &amount(currency, order.tax.amount))?;
    row(&"Total", &amount(currency, order.total))
}

fn write_shipment(html: &mut String, shipment: &Shipment) -> fmt::Result {
    let (sku, carrier) = (Escaped(&shipment.sku), Escaped(&shipment.carrier));
    write!(html, "<li>{sku} by {carrier}, in about {} days:", shipment.estimated_days)?;
    for parcel in &shipment.parcels {
        write!(html, " {}", Escaped(&parcel.tracking_number))?;
    }
    writeln!(html, "</li>")
}

/// Text that can't leave the element or the attribute it stands in.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Other control characters aren't allowed in HTML at all.
                c if c.is_control() && !matches!(c, '\n' | '\t') => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// An amount in minor units as a person reads it.
fn amount(currency: &str, minor: u64) -> String {
    let text = match currency {
        "JPY" => minor.to_string(),
        "KWD" => format!("{}.{:03}", minor / 1_000, minor % 1_000),
        _ => format!("{}.{:02}", minor / 100, minor % 100),
    };
    format!("{} {text}", Escaped(currency))
}

fn percent(basis_points: u64) -> String {
    match basis_points % 100 {
        0 => format!("{} %", basis_points / 100),
        rest => format!("{}.{rest:02} %", basis_points / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_mean_something_in_html_are_escaped() {
        let rows = [
            ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
            ("\"'", "&quot;&#39;"),
            ("tab\tkept, bell\u{7} not", "tab\tkept, bell\u{fffd} not"),
            ("Grüße 日本", "Grüße 日本"),
        ];
        for (text, expected) in rows {
            assert_eq!(Escaped(text).to_string(), expected);
        }
    }

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        let rows = [("EUR", 5, "EUR 0.05"), ("JPY", 1_200, "JPY 1200"), ("KWD", 1_050, "KWD 1.050")];
        for (currency, minor, expected) in rows {
            assert_eq!(amount(currency, minor), expected);
        }
        assert_eq!(amount("<x>", 1), "&lt;x&gt; 0.01");
    }

    #[test]
    fn rates_are_percentages() {
        for (basis_points, expected) in [(1_900, "19 %"), (725, "7.25 %"), (0, "0 %"), (405, "4.05 %")] {
            assert_eq!(percent(basis_points), expected);
        }
    }
}
