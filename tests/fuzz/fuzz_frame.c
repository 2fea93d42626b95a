/* Any bytes, cut into frames: a frame lies inside them, its head is the shortest, and any beginning of a whole one is a part. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "net/frame.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void whole_frame_holds(const uint8_t *bytes, size_t length, size_t most, const struct frame *f)
{
	uint8_t head[FRAME_HEAD_MOST];
	size_t size = frame_head(head, f->length);
	struct frame part;

	must(f->length <= most && f->whole <= length && f->body == bytes + f->whole - f->length);
	must(size == frame_head_size(f->length) && size == f->whole - f->length && memcmp(head, bytes, size) == 0);
	for (size_t cut = 0; cut < f->whole; cut += 1 + f->whole / 16)
		must(frame_next(bytes, cut, most, &part) == FRAME_PART);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < 2)
		return 0;

	size_t most = (size_t)bytes[0] << (bytes[1] & 15), left = length - 2, used = 0;
	uint8_t *copy = fuzz_copy(bytes + 2, left);
	struct frame f;

	while (frame_next(copy + used, left - used, most, &f) == FRAME_WHOLE) {
		whole_frame_holds(copy + used, left - used, most, &f);
		used += f.whole;
#ifdef PLANTED
		must(f.length < 3 || f.body[0] != 'b' || f.body[1] != 'u' || f.body[2] != 'g');
#endif
	}
	free(copy);
	return 0;
}
