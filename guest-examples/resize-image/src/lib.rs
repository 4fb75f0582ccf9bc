//! `resize-image`: decodes a PNG, JPEG or WebP image and writes it again, smaller or larger, in any of these.
//!
//! Input `{"image": "<base64>", "width": 64, "format": "jpeg"}`; the height follows from the image's shape unless
//! `height` is given, `quality` is for JPEG. Images come from strangers: their size is checked before they are
//! unpacked, so that a small file can't take all memory.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use serde::{Deserialize, Serialize};
use stepwell::TaskError;

/// Sides longer than this are for another kind of program.
const SIDE_MAX: u32 = 4_096;

/// What a decoder may allocate: a third of a task's 128 MiB, as resizing needs a second copy.
const DECODE_BYTES_MAX: u64 = 48 << 20;

/// Room for the other fields of the result, beside the image.
const RESULT_FIELDS_BYTES: usize = 512;

const QUALITY_DEFAULT: u8 = 82;

#[derive(Clone, Debug, Deserialize)]
struct Request {
    /// The image file in base64, as the standard alphabet has it.
    image: String,
    width: u32,
    height: Option<u32>,
    format: Format,
    quality: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Png,
    Jpeg,
    Webp,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resized {
    image: String,
    format: Format,
    width: u32,
    height: u32,
    /// The size of the image file, before base64.
    bytes: usize,
    original_width: u32,
    original_height: u32,
}

#[derive(Debug, PartialEq, TaskError)]
enum Refusal {
    #[task_error(cause = "{0}")]
    InvalidImage(String),
    #[task_error(cause = "a side must be 1 to {SIDE_MAX} pixels and quality 1 to 100")]
    InvalidSize,
    #[task_error(cause = "the result would be {bytes} bytes, at most {max} fit; ask for fewer pixels")]
    ImageTooLarge { bytes: usize, max: usize },
}

#[stepwell::task]
fn resize_image(request: Request) -> Result<Resized, Refusal> {
    let quality = request.quality.unwrap_or(QUALITY_DEFAULT);
    let side_ok = |side: u32| (1..=SIDE_MAX).contains(&side);
    if !side_ok(request.width) || !request.height.is_none_or(side_ok) || !(1..=100).contains(&quality) {
        return Err(Refusal::InvalidSize);
    }
    let original = decode(&request.image)?;
    let height = request.height.unwrap_or_else(|| height_for(&original, request.width));
    if !side_ok(height) {
        return Err(Refusal::InvalidSize);
    }
    let resized = original.resize_exact(request.width, height, FilterType::CatmullRom);
    let file = encode(&resized, request.format, quality)?;
    let text_bytes = file.len().div_ceil(3) * 4 + RESULT_FIELDS_BYTES;
    if text_bytes > stepwell::OUTPUT_BYTES_MAX {
        return Err(Refusal::ImageTooLarge { bytes: text_bytes, max: stepwell::OUTPUT_BYTES_MAX });
    }
    stepwell::log::info!("{}x{height} {:?}, {} bytes", request.width, request.format, file.len());
    Ok(Resized {
        image: STANDARD.encode(&file),
        format: request.format,
        width: request.width,
        height,
        bytes: file.len(),
        original_width: original.width(),
        original_height: original.height(),
    })
}

fn decode(base64: &str) -> Result<DynamicImage, Refusal> {
    let file = STANDARD.decode(base64).map_err(|error| Refusal::InvalidImage(format!("base64: {error}")))?;
    let mut reader = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .map_err(|error| Refusal::InvalidImage(error.to_string()))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    reader.limits(limits);
    reader.decode().map_err(|error| Refusal::InvalidImage(error.to_string()))
}

/// The height that keeps the shape of the image, at least one pixel.
fn height_for(image: &DynamicImage, width: u32) -> u32 {
    let exact = u64::from(image.height()) * u64::from(width);
    let original_width = u64::from(image.width()).max(1);
    let rounded = (exact + original_width / 2) / original_width;
    u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
}

fn encode(image: &DynamicImage, format: Format, quality: u8) -> Result<Vec<u8>, Refusal> {
    let mut file = Cursor::new(Vec::new());
    let written = match format {
        // JPEG has no transparency.
        Format::Jpeg => image.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut file, quality)),
        Format::Png => image.write_to(&mut file, ImageFormat::Png),
        // The encoder takes eight bits a channel only.
        Format::Webp => image.to_rgba8().write_to(&mut file, ImageFormat::WebP),
    };
    written.map_err(|error| Refusal::InvalidImage(error.to_string()))?;
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Rgb};

    use super::*;

    fn gradient(width: u32, height: u32) -> String {
        let pixels = ImageBuffer::from_fn(width, height, |x, y| {
            Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, 128])
        });
        STANDARD.encode(encode(&DynamicImage::ImageRgb8(pixels), Format::Png, 80).unwrap())
    }

    fn request(format: Format) -> Request {
        Request { image: gradient(60, 40), width: 30, height: None, format, quality: None }
    }

    #[test]
    fn every_format_comes_out_in_shape_and_decodes_again() {
        for format in [Format::Png, Format::Jpeg, Format::Webp] {
            let resized = resize_image(request(format)).unwrap();
            assert_eq!((resized.width, resized.height, resized.format), (30, 20, format));
            assert_eq!((resized.original_width, resized.original_height), (60, 40));
            let again = decode(&resized.image).unwrap();
            assert_eq!((again.width(), again.height()), (30, 20));
            let middle = again.to_rgb8().get_pixel(15, 10).0;
            for (channel, expected) in middle.iter().zip([127_i32, 127, 128]) {
                assert!((i32::from(*channel) - expected).abs() < 12, "{format:?}: {middle:?}");
            }
        }
    }

    #[test]
    fn a_given_height_wins_over_the_shape() {
        let resized = resize_image(Request { height: Some(5), ..request(Format::Png) }).unwrap();
        assert_eq!((resized.width, resized.height), (30, 5));
        let line = Request { image: gradient(400, 1), width: 20, ..request(Format::Png) };
        assert_eq!(resize_image(line).unwrap().height, 1);
    }

    #[test]
    fn quality_makes_a_jpeg_smaller() {
        let bytes = |quality| {
            let large = Request { width: 60, quality: Some(quality), ..request(Format::Jpeg) };
            resize_image(large).unwrap().bytes
        };
        assert!(bytes(10) < bytes(95));
    }

    #[test]
    fn what_is_no_image_is_refused_by_name() {
        let mut truncated = STANDARD.decode(gradient(60, 40)).unwrap();
        truncated.truncate(60);
        for image in ["", "***", "aGVsbG8=", &STANDARD.encode(truncated)] {
            let refusal = resize_image(Request { image: image.to_owned(), ..request(Format::Png) });
            assert!(matches!(refusal, Err(Refusal::InvalidImage(_))), "{image}: {refusal:?}");
        }
    }

    #[test]
    fn sizes_out_of_range_are_refused() {
        for (width, height, quality) in [
            (0, None, None),
            (5_000, None, None),
            (8, Some(0), None),
            (8, None, Some(0)),
            (8, None, Some(101)),
        ] {
            let request = Request { width, height, quality, ..request(Format::Png) };
            assert_eq!(resize_image(request), Err(Refusal::InvalidSize));
        }
        let tall = Request { image: gradient(1, 40), width: 4_096, ..request(Format::Png) };
        assert_eq!(resize_image(tall), Err(Refusal::InvalidSize));
        let wide = resize_image(Request { image: gradient(4_097, 1), ..request(Format::Png) });
        assert!(matches!(wide, Err(Refusal::InvalidImage(_))), "{wide:?}");
    }

    #[test]
    fn a_result_over_the_limit_is_refused_and_not_cut() {
        // Noise doesn't compress, so 400 x 400 pixels are well over the limit.
        let noise = ImageBuffer::from_fn(400, 400, |x, y| {
            let mixed = (x * 7_919 + y * 104_729).wrapping_mul(2_654_435_761);
            Rgb([(mixed >> 8) as u8, (mixed >> 16) as u8, (mixed >> 24) as u8])
        });
        let file = encode(&DynamicImage::ImageRgb8(noise), Format::Png, 80).unwrap();
        let large = Request { image: STANDARD.encode(file), width: 400, ..request(Format::Png) };
        assert!(matches!(resize_image(large), Err(Refusal::ImageTooLarge { max: 262_144, .. })));
    }
}
