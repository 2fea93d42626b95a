/* wire: what came of a command, as the bytes of a whole framed reply. The answers that every report gets are written by
 * hand, straight into the output buffer; everything else goes through protobuf-c. Pure functions. */
#ifndef INTAKE_WIRE_H
#define INTAKE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "gridloop.pb-c.h"
#include "workflow/command.h"

#define WIRE_REPLY_MOST 512 /* bytes of a framed Answer, Refusal or Done */
#define WIRE_BATCH_MOST 64  /* reports in a batch */
#define WIRE_BATCH_BYTES (WIRE_BATCH_MOST * WIRE_REPLY_MOST)

/* Each writes a whole frame and returns its size. out holds WIRE_REPLY_MOST bytes. */
size_t wire_answer(uint8_t *out, uint32_t seq, const struct outcome *o);
size_t wire_refusal(uint8_t *out, uint32_t seq, const struct refusal *why);
size_t wire_done(uint8_t *out, uint32_t seq);
/* Answer or Refusal, as o has it. */
size_t wire_outcome(uint8_t *out, uint32_t seq, const struct outcome *o);
/* A BatchAnswer of count ≤ WIRE_BATCH_MOST outcomes; out holds WIRE_BATCH_BYTES. */
size_t wire_batch(uint8_t *out, uint32_t seq, const struct outcome *const *outcomes, size_t count);

/* Any message: its framed size, and its bytes (out holds that many). */
size_t wire_size(const Gridloop__V1__ServerFrame *f);
size_t wire_pack(const Gridloop__V1__ServerFrame *f, uint8_t *out);
/* A text as a field; NULL is empty. */
ProtobufCBinaryData wire_text(const char *text);

/* The seq of a frame that could not be read as a whole, 0 when it does not begin with one. */
uint32_t wire_guess_seq(const uint8_t *body, size_t length);

#endif
