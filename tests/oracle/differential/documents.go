package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// document is a template that reads a made-up document, and writes what it read in every form.
func (v valuer) document() string {
	read, text := "fromToml", v.toml()
	switch v.Intn(4) {
	case 0:
		read, text = v.pick([]string{"fromYaml", "fromYamlArray"}), strings.TrimPrefix(v.node(0, 3), " ")
	case 1:
		read, text = v.pick([]string{"fromJson", "fromJsonArray", "mustFromJson"}), v.json(3)
	}
	if v.Intn(3) == 0 {
		text = v.broken(text)
	}
	return fmt.Sprintf("{{ $x := %s %q }}{{ $x }}\n{{ toJson $x }}\n{{ toYaml $x }}\n{{ toYamlPretty $x }}\n{{ toToml $x }}", read, text)
}

func (v valuer) broken(text string) string {
	pieces := []string{"", "\"", "'", "\"\"\"", "'''", "[", "]", "{", "}", "=", ".", ",", "#", "\n", "\r\n", "\r", " ", "\t", "\\", "-", "_", "0", "e", ":", "é", "\x00", "\x01", "\xff", "[[", "]]", "inf", "T", "Z", "null"}
	at := v.Intn(len(text) + 1)
	end := min(len(text), at+v.Intn(3))
	return text[:at] + v.pick(pieces) + text[end:]
}

func (v valuer) json(depth int) string {
	if depth > 0 && v.Intn(2) == 0 {
		var items []string
		object := v.Intn(3) > 0
		for range v.Intn(4) {
			item := v.json(depth - 1)
			if object {
				item = strconv.Quote(v.pick([]string{"a", "b", "c", "é", ""})) + v.pick([]string{":", ": ", " : "}) + item
			}
			items = append(items, item)
		}
		if object {
			return "{" + strings.Join(items, ",") + "}"
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	if v.Intn(2) == 0 {
		text, _ := json.Marshal(v.text())
		return string(text)
	}
	return v.pick([]string{"null", "true", "false", "0", "-0", "1", "1.5", "1e3", "1E+2", "-1.25e-7", "1e400", "01", "1.", ".5", "9007199254740993", "12345678901234567890", "\"\\u00e9\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\/\\b\"", "\"\\x\"", "'a'", "\"a\tb\"", "tru", ""})
}

func (v valuer) toml() string {
	var b strings.Builder
	for range 1 + v.Intn(6) {
		switch v.Intn(8) {
		case 0:
			fmt.Fprintf(&b, "[%s]%s", v.tomlKey(), v.tomlEnd())
		case 1:
			fmt.Fprintf(&b, "[[%s]]%s", v.tomlKey(), v.tomlEnd())
		case 2:
			b.WriteString(v.pick([]string{"\n", "# comment é\n", "  \t\n", "\r\n"}))
		default:
			fmt.Fprintf(&b, "%s%s%s%s", v.tomlKey(), v.pick([]string{" = ", "=", "  =\t"}), v.tomlValue(3), v.tomlEnd())
		}
	}
	return b.String()
}

func (v valuer) tomlEnd() string {
	return v.pick([]string{"\n", "\n", "\n", " # c\n", "\r\n", " \n", "\n\n"})
}

func (v valuer) tomlKey() string {
	part := func() string {
		return v.pick([]string{"a", "b", "c", "a", "b", "d-e", "1", `"x y"`, `'q'`, `""`, `"\u00e9"`, "A_1"})
	}
	text := part()
	for v.Intn(3) == 0 {
		text += v.pick([]string{".", ".", " . "}) + part()
	}
	return text
}

func (v valuer) tomlValue(depth int) string {
	kind := v.Intn(10)
	if depth == 0 {
		kind = 2 + v.Intn(8)
	}
	switch kind {
	case 0:
		var items []string
		for range v.Intn(4) {
			items = append(items, v.pick([]string{"", "", "\n ", " # c\n"})+v.tomlValue(depth-1))
		}
		return "[" + strings.Join(items, v.pick([]string{",", ", ", ",\n", " ,"})) + v.pick([]string{"", "", ",", "\n"}) + "]"
	case 1:
		var items []string
		for range v.Intn(4) {
			items = append(items, v.tomlKey()+" = "+v.tomlValue(depth-1))
		}
		return "{" + strings.Join(items, v.pick([]string{", ", ",", ",\n"})) + v.pick([]string{"", "", " ", ","}) + "}"
	case 2, 3:
		return v.pick([]string{"0", "1", "-17", "+99", "1_000", "0xDEAD_beef", "0o755", "0b1101", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "01", "1__0", "_1", "0x", "0b2", "+0x1", "1_", "-0"})
	case 4:
		return v.pick([]string{"1.5", "-0.01", "5e+22", "1e06", "6.626e-34", "224_617.445_991", "inf", "-inf", "+nan", "nan", "-nan", "1.", ".5", "1.e5", "1e999", "00.5", "1e_5", "1.5.2", "1e5e5", "inan", "infinity", "-0.0", "+1.0"})
	case 5:
		return v.pick([]string{"true", "false", "True", "yes", "tru", "int", "none"})
	case 6:
		return v.pick([]string{"1979-05-27T07:32:00Z", "1979-05-27T00:32:00.999999-07:00", "1979-05-27 07:32:00z", "1979-05-27T07:32:00", "1979-05-27", "07:32:00", "07:32", "00:32:00.5", "1979-05-27T07:32", "1979-13-27", "1979-5-27", "7:32:00", "1979-05-27t07:32:00+01:00", "2021-02-30", "0001-01-01", "1979-05-27 ", "24:00:00"})
	case 7:
		return v.pick([]string{`"""a\n  b"""`, "\"\"\"\nline\n\\\n   joined \\\"\"\"\"", "'''\nraw \\n'''", `""""q""""`, "'''it''s'''", `"""a""`, "\"\"\"\r\nx\\  \r\n y\"\"\"", `""""""`, `'''''''`, `"""\u00e9\x41\U0001F600"""`})
	}
	if v.Intn(3) == 0 {
		return v.pick([]string{`"\b\t\n\f\r\e\"\\"`, `"\u00e9\U0001f600\x41"`, `"\q"`, `"\u12"`, `"\ud800"`, `'a\b'`, `"a`, `'a`, `"\ "`, `"\x4"`, `""`, `''`, "\"\u00e9\U0001f600\u2028\""})
	}
	text, _ := json.Marshal(v.text())
	return string(text)
}
