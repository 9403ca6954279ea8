#define _GNU_SOURCE
#include "CKernels.h"
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// MARK: The interrupted thread's side: nothing here may allocate, lock or call the library.

static __thread volatile uint64_t current_mark;

void swiftwater_mark_thread(uint64_t mark) { current_mark = mark; }

int swiftwater_thread_id(void) { return (int)syscall(SYS_gettid); }

enum { MAXIMUM_REGIONS = 8192, MAXIMUM_FRAMES = 128 };
typedef struct { uint64_t start, end; } Region;
/// Sorted. What may be written: stacks lie there. What may be run: return addresses point there.
static Region writable[MAXIMUM_REGIONS], runnable[MAXIMUM_REGIONS];
static int writable_count, runnable_count;

/// Answers that come too late carry an old number and are not written.
static _Atomic uint64_t wanted;
static _Atomic uint64_t answered;
static _Atomic uint64_t claimed;
static uint64_t stack[MAXIMUM_FRAMES];
static int depth;
static uint64_t stack_mark;

/// 0 when the address lies in none of them.
static uint64_t end_of_region(const Region *regions, int count, uint64_t address) {
    int low = 0, high = count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (regions[middle].end <= address) low = middle + 1;
        else high = middle;
    }
    return low < count && regions[low].start <= address ? regions[low].end : 0;
}

/// The upper bits: Swift marks frames of async functions in them; aarch64 may sign return addresses.
static uint64_t plain(uint64_t word) { return word & 0x0000ffffffffffff; }

/// A frame is two words, the caller's frame and the return address, and lies above the one before it within the same stack.
static int is_frame(uint64_t frame, uint64_t above, uint64_t end) {
    if (frame < above || frame % 8 != 0 || frame + 16 > end) return 0;
    const uint64_t *cell = (const uint64_t *)frame;
    uint64_t next = plain(cell[0]);
    return (next == 0 || (next > frame && next < end)) && end_of_region(runnable, runnable_count, plain(cell[1])) != 0;
}

static void interrupted(int number, siginfo_t *info, void *context) {
    (void)number;
    int saved = errno;
    uint64_t ticket = (uint64_t)(uintptr_t)info->si_value.sival_ptr;
    uint64_t before = ticket - 1;
    // Once for each ticket, and only while somebody waits for this one.
    if (info->si_code != SI_QUEUE || atomic_load(&wanted) != ticket || !atomic_compare_exchange_strong(&claimed, &before, ticket)) {
        errno = saved;
        return;
    }
    const ucontext_t *state = context;
#if defined(__x86_64__)
    uint64_t pc = (uint64_t)state->uc_mcontext.gregs[REG_RIP], frame = (uint64_t)state->uc_mcontext.gregs[REG_RBP], top = (uint64_t)state->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    uint64_t pc = state->uc_mcontext.pc, frame = state->uc_mcontext.regs[29], top = state->uc_mcontext.sp;
#else
    uint64_t pc = 0, frame = 0, top = 0;
#endif
    int count = 0;
    stack[count++] = pc;
    uint64_t end = end_of_region(writable, writable_count, top);
    // The system's library keeps no frames: from within it, the nearest one above is its caller's.
    if (end != 0 && !is_frame(frame, top, end)) {
        uint64_t limit = top + 4096 < end ? top + 4096 : end;
        for (frame = (top + 7) & ~7ull; frame + 16 <= limit; frame += 8) {
            if (plain(*(const uint64_t *)frame) != 0 && is_frame(frame, top, end)) break;
        }
    }
    uint64_t above = top;
    while (count < MAXIMUM_FRAMES && end != 0 && is_frame(frame, above, end)) {
        const uint64_t *cell = (const uint64_t *)frame;
        stack[count++] = plain(cell[1]);
        above = frame + 8;
        frame = plain(cell[0]);
    }
    depth = count;
    stack_mark = current_mark;
    atomic_store(&answered, ticket);
    errno = saved;
}

// MARK: The asking side

void swiftwater_stacks_prepare(void) {
    static bool installed;
    if (!installed) {
        struct sigaction action = {0};
        action.sa_sigaction = interrupted;
        action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
        sigfillset(&action.sa_mask);
        installed = sigaction(SIGPROF, &action, NULL) == 0;
    }
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return;
    char line[512];
    int stacks = 0, codes = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        char access[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, access) != 3) continue;
        if (access[0] == 'r' && access[1] == 'w' && stacks < MAXIMUM_REGIONS) {
            if (stacks > 0 && writable[stacks - 1].end == start) writable[stacks - 1].end = end;
            else writable[stacks++] = (Region){start, end};
        }
        if (access[2] == 'x' && codes < MAXIMUM_REGIONS) runnable[codes++] = (Region){start, end};
    }
    writable_count = stacks;
    runnable_count = codes;
    fclose(maps);
}

int swiftwater_stack_of(int id, uint64_t *frames, int capacity, uint64_t *mark) {
    uint64_t ticket = atomic_load(&wanted) + 1;
    atomic_store(&claimed, ticket - 1);
    atomic_store(&wanted, ticket);
    siginfo_t info = {0};
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)(uintptr_t)ticket;
    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), id, SIGPROF, &info) != 0) return 0;
    for (int waits = 0; atomic_load(&answered) != ticket; waits++) {
        struct timespec pause = {0, waits < 20 ? 20000 : 200000};
        uint64_t before = ticket - 1;
        // Taken back unless the thread is at it right now.
        if (waits > 100 && atomic_compare_exchange_strong(&claimed, &before, ticket)) return 0;
        nanosleep(&pause, NULL);
    }
    int count = depth < capacity ? depth : capacity;
    memcpy(frames, stack, (size_t)count * sizeof *frames);
    *mark = stack_mark;
    return count;
}

// MARK: Names

typedef struct { uint64_t start, size; const char *name; } Function;
static Function *functions;
static size_t function_count;
static uint64_t base;

static int by_start(const void *a, const void *b) {
    uint64_t x = ((const Function *)a)->start, y = ((const Function *)b)->start;
    return x < y ? -1 : x > y;
}

/// Whether the file had a symbol table. What it maps stays mapped: names point into it.
static bool load(const char *path) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    struct stat about;
    const uint8_t *file = fstat(descriptor, &about) == 0 && about.st_size > (off_t)sizeof(Elf64_Ehdr)
        ? mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
    close(descriptor);
    if (file == MAP_FAILED) return false;
    uint64_t length = (uint64_t)about.st_size;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    bool found = false;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shoff < length
        && header->e_shnum * sizeof(Elf64_Shdr) <= length - header->e_shoff) {
        const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + header->e_shoff);
        for (int index = 0; index < header->e_shnum; index++) {
            const Elf64_Shdr *table = &sections[index];
            if (table->sh_type != SHT_SYMTAB || table->sh_link >= header->e_shnum) continue;
            const Elf64_Shdr *strings = &sections[table->sh_link];
            if (table->sh_offset > length || table->sh_size > length - table->sh_offset || strings->sh_offset > length
                || strings->sh_size > length - strings->sh_offset || strings->sh_size == 0 || file[strings->sh_offset + strings->sh_size - 1] != 0) continue;
            const Elf64_Sym *symbols = (const Elf64_Sym *)(file + table->sh_offset);
            size_t all = table->sh_size / sizeof *symbols;
            functions = malloc((all + 1) * sizeof *functions);
            if (!functions) break;
            for (size_t at = 0; at < all; at++) {
                if (ELF64_ST_TYPE(symbols[at].st_info) != STT_FUNC || symbols[at].st_value == 0 || symbols[at].st_name >= strings->sh_size) continue;
                functions[function_count++] = (Function){symbols[at].st_value, symbols[at].st_size, (const char *)file + strings->sh_offset + symbols[at].st_name};
            }
            qsort(functions, function_count, sizeof *functions, by_start);
            found = function_count > 0;
            break;
        }
    }
    if (!found) munmap((void *)file, (size_t)length);
    return found;
}

static int first_object(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    base = info->dlpi_addr;
    return 1;
}

const char *swiftwater_symbol(uint64_t address) {
    static bool looked;
    if (!looked) {
        looked = true;
        dl_iterate_phdr(first_object, NULL);
        char path[4096];
        ssize_t length = readlink("/proc/self/exe", path, sizeof path - 8);
        if (!load("/proc/self/exe") && length > 0) {
            strcpy(path + length, ".debug");
            load(path);
        }
    }
    uint64_t relative = address - base;
    size_t low = 0, high = function_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (functions[middle].start <= relative) low = middle + 1;
        else high = middle;
    }
    if (low > 0 && relative < functions[low - 1].start + (functions[low - 1].size ? functions[low - 1].size : 1)) return functions[low - 1].name;
    Dl_info found;
    if (!dladdr((void *)(uintptr_t)address, &found)) return NULL;
    if (found.dli_sname) return found.dli_sname;
    // Not exported: at least whose it is.
    static char library[256];
    const char *slash = found.dli_fname ? strrchr(found.dli_fname, '/') : NULL;
    if (!slash) return NULL;
    snprintf(library, sizeof library, "(%s)", slash + 1);
    return library;
}
