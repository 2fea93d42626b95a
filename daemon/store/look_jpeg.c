/* A JPEG as grey rows, an eighth of its size: the decoder then only looks at the first coefficient of each block. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "store/look.h"

#define SCALE 8
#define MEMORY_MOST (96 << 20) /* bytes: a progressive one is held whole as coefficients */
#define SCANS_MOST 64 /* cameras make about ten; a picture of thousands of empty ones takes minutes (a known attack) */

struct reading {
	struct jpeg_error_mgr error; /* first: the library knows only this */
	struct jpeg_decompress_struct jpeg;
	struct jpeg_progress_mgr progress;
	jmp_buf out;
	FILE *file;
	uint8_t *row;
};

static void fail(j_common_ptr info)
{
	struct reading *r = (struct reading *)info->err;

	longjmp(r->out, 1);
}

/* Its warnings are about strangers' pictures. */
static void say_nothing(j_common_ptr info)
{
	(void)info;
}

static void heed_nothing(j_common_ptr info, int level)
{
	(void)info;
	(void)level;
}

static void count_scans(j_common_ptr info)
{
	if (((j_decompress_ptr)info)->input_scan_number > SCANS_MOST)
		fail(info);
}

static void prepare(struct reading *r)
{
	struct jpeg_decompress_struct *j = &r->jpeg;

	j->err = jpeg_std_error(&r->error);
	r->error.error_exit = fail;
	r->error.output_message = say_nothing;
	r->error.emit_message = heed_nothing;
}

/* Leaves by fail() when anything is wrong. */
static _Bool read_rows(struct reading *r, struct look_fields *f)
{
	struct jpeg_decompress_struct *j = &r->jpeg;

	jpeg_create_decompress(j);
	j->mem->max_memory_to_use = MEMORY_MOST;
	r->progress.progress_monitor = count_scans;
	j->progress = &r->progress;
	jpeg_stdio_src(j, r->file);
	(void)jpeg_read_header(j, TRUE);
	if ((uint64_t)j->image_width * j->image_height > LOOK_PIXELS_MOST)
		return 0;
	j->out_color_space = JCS_GRAYSCALE;
	j->scale_num = 1;
	j->scale_denom = SCALE;
	j->do_fancy_upsampling = FALSE;
	(void)jpeg_start_decompress(j);
	if (!look_begin(f, j->output_width, j->output_height))
		return 0;
	r->row = must_calloc(j->output_width, 1);
	while (j->output_scanline < j->output_height) {
		JSAMPROW rows[1] = { r->row };
		uint32_t at = j->output_scanline;

		if (jpeg_read_scanlines(j, rows, 1) == 1)
			look_row(f, at, r->row);
	}
	return 1;
}

_Bool look_jpeg(int fd, struct look_fields *f)
{
	struct reading *r = must_calloc(1, sizeof *r);
	volatile _Bool done = 0;

	r->file = look_open(fd);
	prepare(r);
	if (r->file && setjmp(r->out) == 0)
		done = read_rows(r, f);
	jpeg_destroy_decompress(&r->jpeg);
	if (r->file)
		(void)fclose(r->file);
	free(r->row);
	free(r);
	return done;
}
