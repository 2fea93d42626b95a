#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

wire_bytes wire_from_text(const char *text)
{
	/* The generated type has no const; packing reads only. */
	return (wire_bytes){ .len = text ? strlen(text) : 0, .data = (uint8_t *)(uintptr_t)text };
}

wire_bytes wire_from_uuid(const struct uuid *id)
{
	return (wire_bytes){ .len = UUID_SIZE, .data = (uint8_t *)(uintptr_t)id->bytes };
}

const char *wire_text(wire_bytes field)
{
	if (field.len == 0 || !field.data)
		return "";

	_Bool sound = text_is(TEXT_PROSE, field.data, field.len);

	for (size_t i = 0; i < field.len; i++) {
		uint8_t byte = field.data[i];
		/* Malformed text keeps only its ASCII: what else it says cannot be known. */
		_Bool shown = byte >= 0x80 ? sound : (byte >= 0x20 && byte != 0x7f) || byte == '\n';

		if (!shown)
			field.data[i] = byte == '\t' ? ' ' : '?';
	}
	return (const char *)field.data;
}

static void *allocate_with_zero(void *ctx, size_t size)
{
	(void)ctx;
	return must_calloc(1, size + 1);
}

static void release(void *ctx, void *block)
{
	(void)ctx;
	free(block);
}

static ProtobufCAllocator *allocator(void)
{
	static ProtobufCAllocator with_zero = { .alloc = allocate_with_zero, .free = release };

	return &with_zero;
}

server_frame *wire_unpack(const uint8_t *bytes, size_t length)
{
	return gridloop__v1__server_frame__unpack(allocator(), length, bytes);
}

void wire_free(server_frame *f)
{
	if (f)
		gridloop__v1__server_frame__free_unpacked(f, allocator());
}

size_t wire_put_length(uint8_t *to, uint32_t length)
{
	size_t used = 0;

	while (length >= 0x80) {
		to[used++] = (uint8_t)(length | 0x80);
		length >>= 7;
	}
	to[used++] = (uint8_t)length;
	return used;
}

int wire_get_length(const uint8_t *from, size_t left, uint32_t *length)
{
	uint32_t value = 0;

	for (size_t i = 0; i < left; i++) {
		if (i == 4)
			return -1;
		value |= (uint32_t)(from[i] & 0x7f) << (7 * i);
		if (from[i] & 0x80)
			continue;
		*length = value;
		return value <= WIRE_FRAME_MOST ? (int)i + 1 : -1;
	}
	return 0;
}
