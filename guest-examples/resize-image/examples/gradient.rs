//! Draws the picture of `workflows/image-pipeline/input.json` and prints it as a base64 PNG: a sunset over water,
//! made of gradients and a circle. `cargo run --example gradient -p resize-image`

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageBuffer, ImageError, ImageFormat, Rgb};

const WIDTH: u32 = 192;
const HEIGHT: u32 = 128;
const HORIZON: u32 = 80;

fn main() -> Result<(), ImageError> {
    let picture = ImageBuffer::from_fn(WIDTH, HEIGHT, pixel);
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png)?;
    println!("{}", STANDARD.encode(file.into_inner()));
    Ok(())
}

fn pixel(x: u32, y: u32) -> Rgb<u8> {
    let sun = f64::hypot(f64::from(x) - 120.0, f64::from(y) - 58.0);
    if y < HORIZON {
        let sky = mix([24, 32, 92], [250, 160, 80], f64::from(y) / f64::from(HORIZON));
        return if sun < 20.0 {
            Rgb([255, 240, 190])
        } else {
            mix([255, 240, 190], sky.0, (sun - 20.0) / 60.0)
        };
    }
    let depth = f64::from(y - HORIZON) / f64::from(HEIGHT - HORIZON);
    let wave = (f64::from(x) / 7.0 + f64::from(y) * 1.3).sin() * (1.0 - depth) * 0.2;
    mix([240, 150, 90], [16, 24, 64], depth + wave)
}

fn mix(from: [u8; 3], to: [u8; 3], share: f64) -> Rgb<u8> {
    let share = share.clamp(0.0, 1.0);
    Rgb(std::array::from_fn(|i| {
        let (from, to) = (f64::from(from[i]), f64::from(to[i]));
        (from + (to - from) * share).round() as u8
    }))
}
