/* look: 64 bits that say what a picture looks like, so that a photo which was saved again, shrunk or lightly cropped is
 * still known (workflow/looks.h compares them). The picture is made 9 by 8 grey fields; each bit says whether a field is
 * lighter than its right neighbour (a difference hash). JPEG and PNG are looked into; any other file, one that cannot
 * be read, and a dull picture, of which there are many alike, is known by its digest alone, that is, only as itself.
 *
 * The bytes are a stranger's: the decoders are bounded in pixels, memory and passes, and no fault of a picture is more
 * than "it cannot be read". Only for the evidence thread: a photo of 12 million pixels takes some 50 ms. */
#ifndef STORE_LOOK_H
#define STORE_LOOK_H

#include <stdint.h>
#include <stdio.h>

#include "workflow/evidence.h"

#define LOOK_PIXELS_MOST 64000000 /* of a picture that is looked into */
#define LOOK_WIDTH 9
#define LOOK_HEIGHT 8

/* Of the file at fd, which is of this type. Never all zero. */
void look_at_file(int fd, const char *type, const uint8_t sha256[EVIDENCE_DIGEST_SIZE],
                  uint8_t look[EVIDENCE_LOOK_SIZE]);

/* ---- for the decoders (look_jpeg.c, look_png.c) ---- */

/* The grey fields as rows come in, from above. */
struct look_fields {
	uint32_t width, height; /* of the picture, 1 or more */
	uint64_t sum[LOOK_HEIGHT][LOOK_WIDTH];
	uint64_t count[LOOK_HEIGHT][LOOK_WIDTH];
};
_Bool look_begin(struct look_fields *f, uint32_t width, uint32_t height) MUST_USE; /* false: too large, or nothing */
void look_row(struct look_fields *f, uint32_t row, const uint8_t *grey);
/* The file at fd from its beginning, fd itself left open; NULL: it cannot be had. */
FILE *look_open(int fd) MUST_USE;
/* false: it cannot be read. fd is read from its beginning and left open. */
_Bool look_jpeg(int fd, struct look_fields *f) MUST_USE;
_Bool look_png(int fd, struct look_fields *f) MUST_USE;

#endif
