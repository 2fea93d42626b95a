#include "net/frame.h"

/* Reads the length at the start of bytes; *head is how many bytes it took. */
static enum frame_result read_length(const uint8_t *bytes, size_t length, uint64_t *value, size_t *head)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < FRAME_HEAD_MOST; i++) {
		if (i == length)
			return FRAME_PART;
		sum |= (uint64_t)(bytes[i] & 0x7f) << (7 * i);
		if (bytes[i] & 0x80)
			continue;
		/* A last byte of nothing means that a shorter form exists: two spellings of one length invite tricks. */
		if (i > 0 && bytes[i] == 0)
			return FRAME_BAD_LENGTH;
		*value = sum;
		*head = i + 1;
		return sum <= FRAME_LENGTH_MOST ? FRAME_WHOLE : FRAME_BAD_LENGTH;
	}
	return FRAME_BAD_LENGTH;
}

enum frame_result frame_next(const uint8_t *bytes, size_t length, size_t most, struct frame *out)
{
	uint64_t body;
	size_t head;
	enum frame_result result = read_length(bytes, length, &body, &head);

	if (result != FRAME_WHOLE)
		return result;
	if (body > most)
		return FRAME_TOO_LARGE;
	if (body > length - head)
		return FRAME_PART;
	*out = (struct frame){ .body = bytes + head, .length = (size_t)body, .whole = head + (size_t)body };
	return FRAME_WHOLE;
}

size_t frame_head_size(size_t body_length)
{
	size_t size = 1;

	while (body_length >= 0x80) {
		body_length >>= 7;
		size++;
	}
	return size;
}

size_t frame_head(uint8_t *out, size_t body_length)
{
	size_t size = 0;

	must(body_length <= FRAME_LENGTH_MOST);
	while (body_length >= 0x80) {
		out[size++] = (uint8_t)(body_length | 0x80);
		body_length >>= 7;
	}
	out[size++] = (uint8_t)body_length;
	return size;
}
