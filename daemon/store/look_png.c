/* A PNG as grey rows. An interlaced one would have to be held whole, which no camera asks for. */
#include <stdio.h>
#include <stdlib.h>

#include <png.h>

#include "store/look.h"

#define SIDE_MOST 20000      /* pixels */
#define CHUNK_MOST (8 << 20) /* bytes of one chunk that has to be held */
#define CHUNKS_HELD_MOST 16  /* texts and the like */
#define LUMA (-1)            /* libpng's own weights of red and green */

struct reading {
	png_structp png;
	png_infop info;
	FILE *file;
	uint8_t *row;
};

static void fail(png_structp png, png_const_charp message)
{
	(void)message;
	png_longjmp(png, 1);
}

static void heed_nothing(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

/* 8 bits of grey a pixel, whatever it was. */
static void ask_for_grey(struct reading *r)
{
	png_set_expand(r->png);
	png_set_strip_16(r->png);
	png_set_strip_alpha(r->png);
	png_set_rgb_to_gray_fixed(r->png, PNG_ERROR_ACTION_NONE, LUMA, LUMA);
	png_read_update_info(r->png, r->info);
}

/* Leaves by fail() when anything is wrong. */
static _Bool read_rows(struct reading *r, struct look_fields *f)
{
	uint32_t width, height;

	png_init_io(r->png, r->file);
	png_set_user_limits(r->png, SIDE_MOST, SIDE_MOST);
	png_set_chunk_malloc_max(r->png, CHUNK_MOST);
	png_set_chunk_cache_max(r->png, CHUNKS_HELD_MOST);
	png_read_info(r->png, r->info);
	width = png_get_image_width(r->png, r->info);
	height = png_get_image_height(r->png, r->info);
	if (png_get_interlace_type(r->png, r->info) != PNG_INTERLACE_NONE || !look_begin(f, width, height))
		return 0;
	ask_for_grey(r);
	if (png_get_rowbytes(r->png, r->info) != width)
		return 0;
	r->row = must_calloc(width, 1);
	for (uint32_t row = 0; row < height; row++) {
		png_read_row(r->png, r->row, NULL);
		look_row(f, row, r->row);
	}
	return 1;
}

_Bool look_png(int fd, struct look_fields *f)
{
	struct reading *r = must_calloc(1, sizeof *r);
	volatile _Bool done = 0;

	r->file = look_open(fd);
	r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, fail, heed_nothing);
	r->info = r->png ? png_create_info_struct(r->png) : NULL;
	if (r->info && r->file && setjmp(png_jmpbuf(r->png)) == 0)
		done = read_rows(r, f);
	png_destroy_read_struct(&r->png, &r->info, NULL);
	if (r->file)
		(void)fclose(r->file);
	free(r->row);
	free(r);
	return done;
}
