#pragma once
#include <stdbool.h>
#include <stdint.h>

/// Stacks of this process's own threads, read by interrupting them. For thread dumps and flame graphs.

/// What the calling thread works on from now on; 0: nothing. Any number that means something to whoever samples. One store.
void swiftwater_mark_thread(uint64_t mark);

/// Reads where the mappings are that stacks may lie in. To be called before a round of samples; not from several threads at once.
void swiftwater_stacks_prepare(void);

/// Interrupts the thread `id` of this process (as in /proc/self/task) and writes its program counter and return addresses, innermost
/// first. Answers how many; 0 when it did not answer within 20 ms. `mark`: what it last marked. Not from several threads at once.
int swiftwater_stack_of(int id, uint64_t *_Nonnull frames, int capacity, uint64_t *_Nonnull mark);

/// The name of the function that `address` lies in, as the linker knows it, or NULL. From the program's own symbol table (also when it
/// stands in a file `<program>.debug`, as `objcopy --only-keep-debug` writes it), else from the libraries' exported names. Not from several threads at once.
const char *_Nullable swiftwater_symbol(uint64_t address);

/// The calling thread's number.
int swiftwater_thread_id(void);
