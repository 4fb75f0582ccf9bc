//! `ship-item`: packs a reserved line into parcels and labels each with a tracking number.
//!
//! A parcel holds at most ten pieces. A tracking number ends in a Luhn check digit, as real carriers have one, so
//! that a mistyped number is noticed. The same reservation always gets the same numbers.

use serde::{Deserialize, Serialize};
use stepwell::TaskError;

const PIECES_PER_PARCEL_MAX: u32 = 10;

/// A line of an order can't be packed into more; a reservation that asks for it is broken.
const PARCELS_MAX: usize = 200;

/// Regions, their carrier, its prefix for tracking numbers and the days it takes.
const CARRIERS: [(&str, Carrier); 4] = [
    ("US", Carrier { name: "Prairie Post", prefix: "PP", days: 5 }),
    ("JP", Carrier { name: "Island Air", prefix: "IA", days: 4 }),
    ("KW", Carrier { name: "Island Air", prefix: "IA", days: 6 }),
    ("EUROPE", Carrier { name: "Hanse Parcel", prefix: "HP", days: 2 }),
];

#[derive(Clone, Copy, Debug)]
struct Carrier {
    name: &'static str,
    prefix: &'static str,
    days: u32,
}

#[derive(Clone, Debug, Deserialize)]
struct Request {
    reservation: Reservation,
    /// Where the customer lives, as `validate-order` knows it: `DE`, `US-CA`.
    region: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    reservation_id: String,
    sku: String,
    allocations: Vec<Allocation>,
}

#[derive(Clone, Debug, Deserialize)]
struct Allocation {
    warehouse: String,
    quantity: u32,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shipment {
    shipment_id: String,
    sku: String,
    carrier: &'static str,
    estimated_days: u32,
    parcels: Vec<Parcel>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parcel {
    tracking_number: String,
    warehouse: String,
    quantity: u32,
}

#[derive(Debug, PartialEq, TaskError)]
enum Refusal {
    #[task_error(cause = "no carrier delivers to {0}")]
    UndeliverableRegion(String),
    #[task_error(cause = "reservation {0} holds nothing, or more than {PARCELS_MAX} parcels")]
    InvalidReservation(String),
}

#[stepwell::task]
fn ship_item(request: Request) -> Result<Shipment, Refusal> {
    let carrier = carrier(&request.region).ok_or(Refusal::UndeliverableRegion(request.region))?;
    let reservation = request.reservation;
    let mut parcels = Vec::new();
    for allocation in &reservation.allocations {
        pack(allocation, &mut parcels);
        if parcels.len() > PARCELS_MAX {
            break;
        }
    }
    if parcels.is_empty() || parcels.len() > PARCELS_MAX {
        return Err(Refusal::InvalidReservation(reservation.reservation_id));
    }
    for (index, parcel) in parcels.iter_mut().enumerate() {
        parcel.tracking_number = tracking_number(carrier.prefix, &reservation.reservation_id, index);
    }
    stepwell::log::info!("{} parcels of {} by {}", parcels.len(), reservation.sku, carrier.name);
    Ok(Shipment {
        shipment_id: reservation.reservation_id.replacen("res-", "shp-", 1),
        sku: reservation.sku,
        carrier: carrier.name,
        estimated_days: carrier.days,
        parcels,
    })
}

fn carrier(region: &str) -> Option<Carrier> {
    let country = region.split('-').next().unwrap_or(region);
    let zone = if ["CH", "DE", "FR", "GB", "IE"].contains(&country) { "EUROPE" } else { country };
    CARRIERS.iter().find(|(name, _)| *name == zone).map(|(_, carrier)| *carrier)
}

fn pack(allocation: &Allocation, parcels: &mut Vec<Parcel>) {
    let mut left = allocation.quantity;
    while left > 0 && parcels.len() <= PARCELS_MAX {
        let quantity = left.min(PIECES_PER_PARCEL_MAX);
        left -= quantity;
        let warehouse = allocation.warehouse.clone();
        parcels.push(Parcel { tracking_number: String::new(), warehouse, quantity });
    }
}

fn tracking_number(prefix: &str, reservation_id: &str, index: usize) -> String {
    let text = format!("{reservation_id}/{index}");
    let hash = text.bytes().fold(14_695_981_039_346_656_037_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211)
    });
    let digits = format!("{:011}", hash % 100_000_000_000);
    format!("{prefix}{digits}{}", luhn_digit(&digits))
}

/// The digit that makes the Luhn sum of `digits` and itself a multiple of ten.
fn luhn_digit(digits: &str) -> u32 {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let each = digits.chars().rev().filter_map(|character| character.to_digit(10)).enumerate();
    let sum = each.map(|(place, digit)| if place % 2 == 0 { doubled(digit) } else { digit }).sum::<u32>();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(region: &str, allocations: &[(&str, u32)]) -> Request {
        let allocations = allocations.iter().map(|(warehouse, quantity)| Allocation {
            warehouse: (*warehouse).to_owned(),
            quantity: *quantity,
        });
        Request {
            reservation: Reservation {
                reservation_id: "res-ord-1-book".to_owned(),
                sku: "book".to_owned(),
                allocations: allocations.collect(),
            },
            region: region.to_owned(),
        }
    }

    #[test]
    fn a_parcel_holds_ten_and_comes_from_one_warehouse() {
        let shipment = ship_item(request("DE", &[("A", 12), ("B", 3)])).unwrap();
        let parcels: Vec<_> = shipment.parcels.iter().map(|p| (p.warehouse.as_str(), p.quantity)).collect();
        assert_eq!(parcels, [("A", 10), ("A", 2), ("B", 3)]);
        assert_eq!((shipment.shipment_id.as_str(), shipment.carrier), ("shp-ord-1-book", "Hanse Parcel"));
    }

    #[test]
    fn tracking_numbers_differ_but_stay_the_same_when_shipped_again() {
        let first = ship_item(request("US-CA", &[("A", 30)])).unwrap();
        assert_eq!(first, ship_item(request("US-CA", &[("A", 30)])).unwrap());
        let mut numbers: Vec<_> = first.parcels.iter().map(|parcel| &parcel.tracking_number).collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), 3);
        assert!(numbers.iter().all(|number| number.starts_with("PP") && number.len() == 14));
    }

    #[test]
    fn check_digits_follow_luhn() {
        for (digits, expected) in [("7992739871", 3), ("0", 0), ("1", 8), ("401288888888188", 1)] {
            assert_eq!(luhn_digit(digits), expected, "for {digits}");
        }
    }

    #[test]
    fn what_cannot_be_shipped_is_refused_by_name() {
        assert_eq!(ship_item(request("AQ", &[("A", 1)])), Err(Refusal::UndeliverableRegion("AQ".to_owned())));
        let invalid = Err(Refusal::InvalidReservation("res-ord-1-book".to_owned()));
        assert_eq!(ship_item(request("DE", &[])), invalid);
        assert_eq!(ship_item(request("DE", &[("A", 0)])), invalid);
        assert_eq!(ship_item(request("DE", &[("A", u32::MAX), ("B", u32::MAX)])), invalid);
    }
}
