#include "store/look.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLEAR_STEP 3   /* of 255 grey levels: a smaller step between neighbours is the camera's noise */
#define CLEAR_LEAST 20 /* of 64 steps that must be clear, or the picture is dull: a wall, a night sky, a thumb */

_Bool look_begin(struct look_fields *f, uint32_t width, uint32_t height)
{
	*f = (struct look_fields){ .width = width, .height = height };
	return width >= LOOK_WIDTH && height >= LOOK_HEIGHT && (uint64_t)width * height <= LOOK_PIXELS_MOST;
}

void look_row(struct look_fields *f, uint32_t row, const uint8_t *grey)
{
	uint64_t y = (uint64_t)row * LOOK_HEIGHT / f->height;

	for (uint64_t x = 0; x < LOOK_WIDTH; x++) {
		/* A field's columns; the last ends where the picture does. */
		uint32_t from = (uint32_t)(x * f->width / LOOK_WIDTH), to = (uint32_t)((x + 1) * f->width / LOOK_WIDTH);

		for (uint32_t i = from; i < to; i++)
			f->sum[y][x] += grey[i];
		f->count[y][x] += to - from;
	}
}

/* false: dull. */
static _Bool make_look(const struct look_fields *f, uint64_t *look)
{
	int clear = 0;

	*look = 0;
	for (int y = 0; y < LOOK_HEIGHT; y++) {
		for (int x = 0; x + 1 < LOOK_WIDTH; x++) {
			int64_t here = f->count[y][x] ? (int64_t)(f->sum[y][x] / f->count[y][x]) : 0;
			int64_t right = f->count[y][x + 1] ? (int64_t)(f->sum[y][x + 1] / f->count[y][x + 1]) : 0;

			*look = *look << 1 | (here > right);
			clear += llabs(here - right) >= CLEAR_STEP;
		}
	}
	return clear >= CLEAR_LEAST && *look != 0;
}

FILE *look_open(int fd)
{
	int own = dup(fd);
	FILE *file = own == -1 ? NULL : fdopen(own, "rb");

	if (!file && own != -1)
		(void)close(own);
	if (file && fseek(file, 0, SEEK_SET) != 0) {
		(void)fclose(file);
		return NULL;
	}
	return file;
}

static const struct {
	const char *type;
	_Bool (*read)(int fd, struct look_fields *f);
} decoders[] = { { "image/jpeg", look_jpeg }, { "image/png", look_png } };

void look_at_file(int fd, const char *type, const uint8_t sha256[EVIDENCE_DIGEST_SIZE],
                  uint8_t look[EVIDENCE_LOOK_SIZE])
{
	uint64_t bits;
	struct look_fields fields;

	memcpy(&bits, sha256, sizeof bits);
	bits |= 1; /* a digest may begin with zeros */
	for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++) {
		uint64_t seen;

		if (strcmp(decoders[i].type, type) == 0 && decoders[i].read(fd, &fields) && make_look(&fields, &seen))
			bits = seen;
	}
	memcpy(look, &bits, sizeof bits);
}
