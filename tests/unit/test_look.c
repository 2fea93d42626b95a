#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <png.h>

#include "store/look.h"
#include "workflow/looks.h"

#define WIDTH 640
#define HEIGHT 480

static char path[] = "/tmp/gridloop-look-XXXXXX";
static const uint8_t digest[EVIDENCE_DIGEST_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

/* A scene of some blobs, made by a number. */
static uint8_t scene(int number, double x, double y)
{
	double light = 60 + 40 * x;

	for (int i = 1; i <= 6; i++) {
		double cx = (double)((number * 37 + i * 53) % 100) / 100,
		       cy = (double)((number * 71 + i * 29) % 100) / 100;
		double far = (x - cx) * (x - cx) + (y - cy) * (y - cy);

		light += (i % 2 ? 90 : -70) * (far < 0.04 ? 1 - far / 0.04 : 0);
	}
	return light < 0 ? 0 : light > 255 ? 255 : (uint8_t)light;
}

struct shot {
	int number, width, height, quality, shift;
	_Bool progressive, dull;
};

static void draw(const struct shot *s, int y, uint8_t *row)
{
	for (int x = 0; x < s->width; x++)
		row[x] = s->dull ? 128
		                 : (uint8_t)(scene(s->number, (double)x / s->width, (double)y / s->height) + s->shift);
}

static void write_jpeg(const struct shot *s)
{
	struct jpeg_compress_struct j;
	struct jpeg_error_mgr error;
	FILE *to = fopen(path, "wb");
	uint8_t row[4000];

	j.err = jpeg_std_error(&error);
	jpeg_create_compress(&j);
	jpeg_stdio_dest(&j, to);
	j.image_width = (JDIMENSION)s->width;
	j.image_height = (JDIMENSION)s->height;
	j.input_components = 1;
	j.in_color_space = JCS_GRAYSCALE;
	jpeg_set_defaults(&j);
	jpeg_set_quality(&j, s->quality, TRUE);
	if (s->progressive)
		jpeg_simple_progression(&j);
	jpeg_start_compress(&j, TRUE);
	for (int y = 0; y < s->height; y++) {
		JSAMPROW rows[1] = { row };

		draw(s, y, row);
		jpeg_write_scanlines(&j, rows, 1);
	}
	jpeg_finish_compress(&j);
	jpeg_destroy_compress(&j);
	fclose(to);
}

static void write_png(const struct shot *s)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	FILE *to = fopen(path, "wb");
	uint8_t grey[4000], row[3 * 4000];

	png_init_io(png, to);
	png_set_IHDR(png, info, (png_uint_32)s->width, (png_uint_32)s->height, 8, PNG_COLOR_TYPE_RGB,
	             s->progressive ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
	             PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (int pass = png_set_interlace_handling(png); pass > 0; pass--)
		for (int y = 0; y < s->height; y++) {
			draw(s, y, grey);
			for (int x = 0; x < 3 * s->width; x++)
				row[x] = grey[x / 3];
			png_write_row(png, row);
		}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	fclose(to);
}

static uint64_t look(const char *type)
{
	uint8_t bytes[EVIDENCE_LOOK_SIZE];
	uint64_t bits;
	int fd = open(path, O_RDONLY);

	look_at_file(fd, type, digest, bytes);
	close(fd);
	memcpy(&bits, bytes, sizeof bits);
	assert_true(bits != 0);
	return bits;
}

/* Of the usual size and quality where nothing is said. */
static uint64_t jpeg(struct shot s)
{
	s.width = s.width ? s.width : WIDTH;
	s.height = s.height ? s.height : HEIGHT;
	s.quality = s.quality ? s.quality : 90;
	write_jpeg(&s);
	return look("image/jpeg");
}

static int apart(uint64_t a, uint64_t b)
{
	return __builtin_popcountll(a ^ b);
}

static uint64_t by_digest(void)
{
	uint64_t bits;

	memcpy(&bits, digest, sizeof bits);
	return bits | 1;
}

#define PHOTO(...) jpeg((struct shot){ __VA_ARGS__ })

static void a_copy_looks_the_same(void **state)
{
	(void)state;
	for (int number = 1; number <= 20; number++) {
		uint64_t first = PHOTO(.number = number);

		assert_true(first != by_digest());
		assert_in_range(apart(first, PHOTO(.number = number, .quality = 30)), 0, LOOKS_APART);
		assert_in_range(apart(first, PHOTO(.number = number, .shift = 20)), 0, LOOKS_APART);
		assert_in_range(apart(first, PHOTO(.number = number, .width = 1280, .height = 960)), 0, LOOKS_APART);
		assert_int_equal(first, PHOTO(.number = number, .progressive = 1));
	}
}

static void another_picture_looks_different(void **state)
{
	(void)state;
	for (int number = 1; number <= 20; number++)
		assert_in_range(apart(PHOTO(.number = number), PHOTO(.number = number + 1)), LOOKS_APART + 1, 64);
}

static void a_png_is_looked_into_too(void **state)
{
	const struct shot s = { .number = 3, .width = WIDTH, .height = HEIGHT };
	uint64_t photo = PHOTO(.number = 3);

	(void)state;
	write_png(&s);
	assert_in_range(apart(look("image/png"), photo), 0, LOOKS_APART);
	write_png(&(struct shot){ .number = 3, .width = WIDTH, .height = HEIGHT, .progressive = 1 });
	assert_int_equal(look("image/png"), by_digest());
}

static void what_cannot_be_told_is_only_itself(void **state)
{
	(void)state;
	assert_int_equal(PHOTO(.dull = 1), by_digest());
	assert_int_equal(PHOTO(.number = 3, .width = 40, .height = 30), by_digest()); /* smaller than its fields */
	assert_true(PHOTO(.number = 3) != by_digest());
	assert_int_equal(look("image/heic"), by_digest());
	assert_int_equal(look("image/png"), by_digest()); /* it says PNG, and is none */
}

/* Cut anywhere, and with any byte of its front changed, it is read or it is not; nothing else happens. */
static void a_damaged_picture_harms_nobody(void **state)
{
	static uint8_t bytes[200000];
	const char *const types[] = { "image/jpeg", "image/png" };

	(void)state;
	for (int t = 0; t < 2; t++) {
		const struct shot s = { .number = 5, .width = 200, .height = 150, .quality = 80 };
		FILE *from;
		size_t size;

		if (t == 0)
			write_jpeg(&s);
		else
			write_png(&s);
		from = fopen(path, "rb");
		size = fread(bytes, 1, sizeof bytes, from);
		fclose(from);
		for (size_t i = 0; i < 700 && i < size; i++) {
			int fd = open(path, O_WRONLY | O_TRUNC);
			size_t keep = i % 2 ? size : size * i / 700;

			bytes[i] ^= 0x5a;
			assert_int_equal(write(fd, bytes, keep), keep);
			bytes[i] ^= 0x5a;
			close(fd);
			(void)look(types[t]);
		}
	}
}

static void one_that_claims_to_be_huge_is_left(void **state)
{
	/* SOI, SOF0 of 65000 by 65000, and no more. */
	static const uint8_t huge[] = { 0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0xfd, 0xe8, 0xfd, 0xe8, 1, 1,
		                        0x11, 0,    0xff, 0xda, 0, 8,  1, 1,    0,    0,    63,   0 };
	int fd = open(path, O_WRONLY | O_TRUNC);

	(void)state;
	assert_int_equal(write(fd, huge, sizeof huge), sizeof huge);
	close(fd);
	assert_int_equal(look("image/jpeg"), by_digest());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_looks_the_same),          cmocka_unit_test(another_picture_looks_different),
		cmocka_unit_test(a_png_is_looked_into_too),       cmocka_unit_test(what_cannot_be_told_is_only_itself),
		cmocka_unit_test(a_damaged_picture_harms_nobody), cmocka_unit_test(one_that_claims_to_be_huge_is_left),
	};
	int fd = mkstemp(path), failed;

	if (fd == -1)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
