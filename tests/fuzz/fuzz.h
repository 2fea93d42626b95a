/* fuzz: what the fuzzing targets share. A target is one file with LLVMFuzzerTestOneInput; built with -DPLANTED it has one bug
 * more, in its own code, which the fuzzer must find within seconds, or it is not looking. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The sample jurisdiction's time, no log, and a folder of this process's own in memory. */
void fuzz_begin(char folder[128]);
/* A heap copy of just that size, so that reading beyond it is caught. */
uint8_t *fuzz_copy(const uint8_t *bytes, size_t length);

#endif
