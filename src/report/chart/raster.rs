//! Pictures as PNG: drawn by plotters' bitmap backend at twice the size and scaled down, which smooths every edge.

use plotters::backend::{BitMapBackend, RGBPixel};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind, rasterizer::polygonize,
};

use super::canvas::Canvas;

/// Pixels drawn for each pixel of the picture, in both directions.
const OVERSAMPLING: usize = 2;
const CHANNELS: usize = 3;
/// Every channel of the surface, which is white.
const BLANK: u8 = 0xff;

/// Pixels of the drawing that are scaled down at a time.
const BLOCK: usize = 32;

/// The picture of a drawing that is `size` pixels of the backend large.
pub(super) fn png((width, height): (u32, u32), canvas: &Canvas) -> Vec<u8> {
    let mut pixels = vec![0; width as usize * height as usize * CHANNELS];
    pixels.fill(BLANK);
    let bitmap = BitMapBackend::with_buffer(&mut pixels, (width, height));
    canvas.paint(&mut RasterBackend { bitmap });
    let small = halved(&pixels, width as usize);
    encoded(&small, width / OVERSAMPLING as u32, height / OVERSAMPLING as u32)
}

/// Means of squares of pixels. Most of a chart is blank: whole blocks of it are reported by one comparison.
fn halved(pixels: &[u8], width: usize) -> Vec<u8> {
    const BLANKS: [u8; BLOCK * CHANNELS] = [BLANK; BLOCK * CHANNELS];
    let row = width * CHANNELS;
    let mut small = Vec::with_capacity(pixels.len() / (OVERSAMPLING * OVERSAMPLING));
    for rows in pixels.chunks_exact(OVERSAMPLING * row) {
        let (upper, lower) = rows.split_at(row);
        for (upper, lower) in upper.chunks(BLOCK * CHANNELS).zip(lower.chunks(BLOCK * CHANNELS)) {
            if upper == BLANKS && lower == BLANKS {
                small.extend_from_slice(&BLANKS[..BLANKS.len() / OVERSAMPLING]);
                continue;
            }
            for pixel in (0..upper.len()).step_by(OVERSAMPLING * CHANNELS) {
                for at in pixel..pixel + CHANNELS {
                    let above = u16::from(upper[at]) + u16::from(upper[at + CHANNELS]);
                    let below = u16::from(lower[at]) + u16::from(lower[at + CHANNELS]);
                    small.push(((above + below + 2) / 4) as u8);
                }
            }
        }
    }
    small
}

fn encoded(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().expect("the header describes a picture of at least one pixel");
    writer.write_image_data(pixels).expect("there are as many pixels as the header says");
    writer.finish().expect("writing to memory does not fail");
    bytes
}

/// Plotters' bitmap with wide lines that may cross themselves: its own would leave holes at the crossings.
struct RasterBackend<'a> {
    bitmap: BitMapBackend<'a, RGBPixel>,
}

type Drawn = Result<(), DrawingErrorKind<<BitMapBackend<'static> as DrawingBackend>::ErrorType>>;

impl DrawingBackend for RasterBackend<'_> {
    type ErrorType = <BitMapBackend<'static> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.bitmap.get_size()
    }

    fn ensure_prepared(&mut self) -> Drawn {
        self.bitmap.ensure_prepared()
    }

    fn present(&mut self) -> Drawn {
        self.bitmap.present()
    }

    fn draw_pixel(&mut self, point: BackendCoord, colour: BackendColor) -> Drawn {
        self.bitmap.draw_pixel(point, colour)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        self.bitmap.draw_rect(upper_left, bottom_right, style, fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let width = style.stroke_width();
        let mut last: Option<BackendCoord> = None;
        let mut joint = None;
        for point in path {
            if last == Some(point) {
                continue;
            }
            if let Some(corner) = joint {
                self.draw_circle(corner, width / 2, style, true)?;
            }
            if let Some(from) = last {
                self.fill_polygon(polygonize(&[from, point], width), style)?;
                joint = Some(point);
            }
            last = Some(point);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::{
        canvas::Area,
        palette::{BLUE, Ink, SURFACE},
    };

    #[test]
    fn encodes_what_is_drawn_at_half_the_size() {
        let mut canvas = Canvas::new();
        canvas.fill(Area { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 }, BLUE);
        let bytes = png((8, 4), &canvas);
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((frame.width, frame.height), (4, 2));
        assert_eq!(pixels[..3], [0x00, 0x56, 0xc9]);
        assert_eq!((pixels[9], pixels[10], pixels[11]), SURFACE.rgb());
    }

    #[test]
    fn a_line_that_crosses_itself_has_no_hole() {
        let mut pixels = vec![0; 40 * 40 * CHANNELS];
        let bitmap = BitMapBackend::with_buffer(&mut pixels, (40, 40));
        let style = Ink { colour: SURFACE, width: 8 };
        RasterBackend { bitmap }.draw_path([(4, 20), (36, 20), (20, 4), (20, 36)], &style).unwrap();
        let at = |x: usize, y: usize| pixels[(y * 40 + x) * CHANNELS];
        assert_eq!((at(20, 20), at(35, 20), at(1, 1)), (0xff, 0xff, 0));
    }
}
