/* An entry for each function of DuckDB's C interface (System V ABI, x86_64). The first call looks the function up and
   keeps where it is; every later one is a jump. Two threads that call first at once store the same address. */

.macro entry name
    .pushsection .rodata
.Lname\@:
    .asciz "\name"
    .popsection
    .pushsection .data
    .balign 8
.Lslot\@:
    .quad .Lfirst\@
    .popsection
    .globl \name
    /* The library's own calls stay its own. */
    .hidden \name
    .type \name, @function
\name:
    endbr64
    jmp *.Lslot\@(%rip)
.Lfirst\@:
    endbr64
    leaq .Lname\@(%rip), %r10
    leaq .Lslot\@(%rip), %r11
    jmp first
    .size \name, . - \name
.endm

    .text
/* r10: the name, r11: the slot. Every register that may hold an argument comes back as it was. */
first:
    pushq %rbp
    movq %rsp, %rbp
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %r8
    pushq %r9
    pushq %rax
    pushq %r11
    subq $128, %rsp
    movups %xmm0, (%rsp)
    movups %xmm1, 16(%rsp)
    movups %xmm2, 32(%rsp)
    movups %xmm3, 48(%rsp)
    movups %xmm4, 64(%rsp)
    movups %xmm5, 80(%rsp)
    movups %xmm6, 96(%rsp)
    movups %xmm7, 112(%rsp)
    movq %r10, %rdi
    call promote_duckdb_function
    movq %rax, %r10
    movups (%rsp), %xmm0
    movups 16(%rsp), %xmm1
    movups 32(%rsp), %xmm2
    movups 48(%rsp), %xmm3
    movups 64(%rsp), %xmm4
    movups 80(%rsp), %xmm5
    movups 96(%rsp), %xmm6
    movups 112(%rsp), %xmm7
    addq $128, %rsp
    popq %r11
    popq %rax
    popq %r9
    popq %r8
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    popq %rbp
    movq %r10, (%r11)
    jmp *%r10

#include "entries.inc"

    .section .note.GNU-stack, "", @progbits
