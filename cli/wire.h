/* wire: short names for the messages of proto/gridloop.proto, and the way between their byte fields and C strings. */
#ifndef CLI_WIRE_H
#define CLI_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/uuid.h"
#include "gridloop.pb-c.h"

typedef Gridloop__V1__ClientFrame client_frame;
typedef Gridloop__V1__ServerFrame server_frame;
typedef Gridloop__V1__Report wire_report;
typedef Gridloop__V1__Action wire_action;
typedef Gridloop__V1__Reporter wire_reporter;
typedef Gridloop__V1__Place wire_place;
typedef Gridloop__V1__Refusal wire_refusal;
typedef Gridloop__V1__Answer wire_answer;
typedef Gridloop__V1__CaseSummary wire_summary;
typedef Gridloop__V1__CaseEvent wire_event;
typedef Gridloop__V1__CaseView wire_view;
typedef Gridloop__V1__Points wire_points;
typedef Gridloop__V1__Stats wire_stats;
typedef Gridloop__V1__StatsRow wire_stats_row;
typedef Gridloop__V1__Notice wire_notice;
typedef Gridloop__V1__EventNews wire_news;
typedef ProtobufCBinaryData wire_bytes;

#define CLIENT_BODY(name) GRIDLOOP__V1__CLIENT_FRAME__BODY_##name
#define SERVER_BODY(name) GRIDLOOP__V1__SERVER_FRAME__BODY_##name

/* What one frame may hold on this side of the wire: twice what the contract allows, to be lenient in what is read. */
#define WIRE_FRAME_MOST 65536

/* Borrows the text; NULL is the empty field. The message is only ever packed, never written to. */
wire_bytes wire_from_text(const char *text);
wire_bytes wire_from_uuid(const struct uuid *id);

/* The field as a C string for people's eyes; "" when empty. Control characters other than newline become '?', so that
 * nobody's report can drive somebody else's terminal. Only for messages that wire_unpack made. */
const char *wire_text(wire_bytes field);

/* Unpacks with an allocator that keeps a zero behind every block, which is what lets wire_text work in place. NULL: no
 * such message. */
server_frame *wire_unpack(const uint8_t *bytes, size_t length) MUST_USE;
void wire_free(server_frame *f); /* NULL is fine */

/* A frame's length prefix. put returns the bytes written (at most 5); get returns the bytes used, 0: more are needed,
 * -1: the prefix is none or too large. */
size_t wire_put_length(uint8_t *to, uint32_t length);
int wire_get_length(const uint8_t *from, size_t left, uint32_t *length);

#endif
