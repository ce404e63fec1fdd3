// Command unicode writes src/template/unicode.rs: the classes of runes on which Go's template lexer
// and its quoting depend, as this Go's unicode tables have them.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode"
)

func main() {
	var b strings.Builder
	b.WriteString("//! Go's classes of runes, as ranges. Written by tests/oracle/template/unicode, not by hand: Go's\n")
	fmt.Fprintf(&b, "//! tables are those of Unicode %s, which Rust's own have left behind.\n\n", unicode.Version)
	b.WriteString("/// Whether Go's `unicode.IsLetter` holds.\npub(super) fn is_letter(rune: char) -> bool {\n    contains(LETTERS, rune)\n}\n\n")
	b.WriteString("/// Whether Go's `unicode.IsDigit` holds.\npub(super) fn is_digit(rune: char) -> bool {\n    contains(DIGITS, rune)\n}\n\n")
	b.WriteString("/// Whether Go's `strconv.IsPrint` (and so `unicode.IsPrint`) holds.\npub(super) fn is_print(rune: char) -> bool {\n    contains(PRINTABLE, rune)\n}\n\n")
	b.WriteString("fn contains(ranges: &[(u32, u32)], rune: char) -> bool {\n    let rune = rune as u32;\n    let after = ranges.partition_point(|&(first, _)| first <= rune);\n    after > 0 && rune <= ranges[after - 1].1\n}\n")
	table(&b, "LETTERS", unicode.IsLetter)
	table(&b, "DIGITS", unicode.IsDigit)
	table(&b, "PRINTABLE", strconv.IsPrint)
	if err := os.WriteFile(os.Args[1], []byte(b.String()), 0o644); err != nil {
		panic(err)
	}
}

func table(b *strings.Builder, name string, holds func(rune) bool) {
	fmt.Fprintf(b, "\n#[rustfmt::skip]\nconst %s: &[(u32, u32)] = &[\n", name)
	line := "   "
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !holds(r) {
			continue
		}
		first := r
		for r < unicode.MaxRune && holds(r+1) {
			r++
		}
		item := fmt.Sprintf(" (0x%X, 0x%X),", first, r)
		if len(line)+len(item) > 118 {
			b.WriteString(line + "\n")
			line = "   "
		}
		line += item
	}
	b.WriteString(line + "\n];\n")
}
