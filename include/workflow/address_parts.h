/* address_parts: the two ways of writing an address. Only for address.c and address_zh.c. */
#ifndef WORKFLOW_ADDRESS_PARTS_H
#define WORKFLOW_ADDRESS_PARTS_H

#include <stddef.h>

#include "workflow/address.h"

/* Appends bytes to a part as far as they fit. */
void address_append(char part[ADDRESS_PART_SIZE], const char *bytes, size_t length);
/* Reads an address written in Chinese order, the large before the small. */
void address_read_zh(const char *text, struct address *out);

#endif
