package main

import "pintle/tests/oracle/template/grammar"

// language has Go's functions, Sprig's and Helm's. The kinds are: a(ny), b(ool), c(onstraint),
// d(uration), e (what a match is replaced by), f(loat), base h (64), i(nt), j(SON), k(ey), l(ist),
// m(ap), n (what can be read as a number), o (base32), p(ath), q (a list of texts), r(egular
// expression), s(tring), t (TOML), u(RL), v(ersion), w(ords), x (a separator), y(AML), z(one).
//
// With capital letters, because other things of that kind would take Go's memory or the clock: N
// small numbers, D dates as text or number or time, Y times, L layouts, E durations, M maps to
// change, K keys and V values to put into them, U parts of URLs, C templates, G kinds of keys, P
// glob patterns.
var language = grammar.Language{
	Functions: map[string]string{
		// Go
		"and": "aa*:a", "or": "aa*:a", "not": "a:b", "eq": "aa*:b", "ne": "aa:b", "lt": "ii:b", "le": "ff:b", "gt": "ss:b", "ge": "ii:b",
		"index": "mk", "slice": "lII*:l", "len": "l:i", "print": "aa*:s", "printf": "Faa*:s", "println": "aa*:s", "html": "aa*:s",
		"js": "ss*:s", "urlquery": "ss*:s", "call": "aa*",
		// strings
		"abbrev": "Ns:s", "abbrevboth": "NNs:s", "trunc": "Ns:s", "trim": "s:s", "upper": "w:s", "lower": "w:s", "title": "w:s",
		"untitle": "w:s", "substr": "NNs:s", "repeat": "Ns:s", "trimall": "ss:s", "trimAll": "ss:s", "trimSuffix": "ss:s",
		"trimPrefix": "ss:s", "nospace": "w:s", "initials": "w:s", "swapcase": "w:s", "snakecase": "w:s", "camelcase": "w:s",
		"kebabcase": "w:s", "wrap": "Nw:s", "wrapWith": "Nxw:s", "contains": "ss:b", "hasPrefix": "ss:b", "hasSuffix": "ss:b",
		"quote": "aa*:s", "squote": "aa*:s", "cat": "aa*:s", "indent": "Ns:s", "nindent": "Ns:s", "replace": "sss:s", "plural": "ssi:s",
		"sha1sum": "s:s", "sha256sum": "s:s", "sha512sum": "s:s", "adler32sum": "s:s", "toString": "a:s", "hello": ":s",
		// numbers
		"atoi": "s:i", "int64": "n:n", "int": "n:i", "float64": "n:f", "seq": "NN*:s", "toDecimal": "n:n", "until": "N:l",
		"untilStep": "NNN:l", "add1": "n:n", "add": "nn*:n", "sub": "nn:n", "div": "nn:n", "mod": "nn:n", "mul": "nn*:n", "add1f": "n:f",
		"addf": "nn*:f", "subf": "nn*:f", "divf": "nn*:f", "mulf": "nn*:f", "biggest": "nn*:n", "max": "nn*:n", "min": "nn*:n",
		"maxf": "nn*:f", "minf": "nn*:f", "ceil": "n:f", "floor": "n:f", "round": "nNf*:f",
		// lists
		"split": "xs:m", "splitList": "xs:q", "splitn": "xNs:m", "toStrings": "l:q", "join": "xl:s", "sortAlpha": "l:q", "list": "aa*:l",
		"tuple": "aa*:l", "append": "la:l", "push": "la:l", "mustAppend": "la:l", "mustPush": "la:l", "prepend": "la:l",
		"mustPrepend": "la:l", "first": "l:a", "mustFirst": "l:a", "rest": "l:l", "mustRest": "l:l", "last": "l:a", "mustLast": "l:a",
		"initial": "l:l", "mustInitial": "l:l", "reverse": "l:l", "mustReverse": "l:l", "uniq": "l:l", "mustUniq": "l:l",
		"without": "laa*:l", "mustWithout": "laa*:l", "has": "al:b", "mustHas": "al:b", "mustSlice": "lII*:l", "concat": "ll*:l",
		"chunk": "Nl:l", "mustChunk": "Nl:l", "compact": "l:l", "mustCompact": "l:l",
		// maps
		"dict": "kaka:m", "get": "mk:a", "set": "MKV:m", "unset": "MK:m", "hasKey": "mk:b", "pluck": "kmm*:l", "pick": "mkk*:m",
		"omit": "mkk*:m", "merge": "Mmm*:m", "mergeOverwrite": "Mmm*:m", "mustMerge": "Mmm*:m", "mustMergeOverwrite": "Mmm*:m",
		"dig": "kkam:a", "deepCopy": "a:a", "mustDeepCopy": "a:a",
		// defaults, flow and reflection
		"default": "aa:a", "empty": "a:b", "coalesce": "aa*:a", "all": "aa*:b", "any": "aa*:b", "ternary": "aab:a", "fail": "s",
		"required": "sa:a", "typeOf": "a:s", "typeIs": "sa:b", "typeIsLike": "sa:b", "kindOf": "a:s", "kindIs": "sa:b", "deepEqual": "aa:b",
		// encodings
		"b64enc": "s:h", "b64dec": "h:s", "b32enc": "s:o", "b32dec": "o:s", "toJson": "a:s", "mustToJson": "a:s", "toPrettyJson": "a:s",
		"mustToPrettyJson": "a:s", "toRawJson": "a:s", "mustToRawJson": "a:s", "fromJson": "j:m", "mustFromJson": "j:a", "fromJsonArray": "j:l",
		"toYaml": "a:s", "mustToYaml": "a:s", "toYamlPretty": "a:s", "fromYaml": "y:m", "fromYamlArray": "y:l", "toToml": "m:s",
		"mustToToml": "m:s", "fromToml": "t:m",
		// paths, URLs, versions and regular expressions
		"base": "p:s", "dir": "p:p", "clean": "p:p", "ext": "p:s", "isAbs": "p:b", "osBase": "p:s", "osDir": "p:p", "osClean": "p:p",
		"osExt": "p:s", "osIsAbs": "p:b", "urlParse": "u:m", "urlJoin": "U:u", "semver": "v:a", "semverCompare": "cv:b",
		"regexMatch": "rs:b", "mustRegexMatch": "rs:b", "regexFind": "rs:s", "mustRegexFind": "rs:s", "regexFindAll": "rsN:q",
		"mustRegexFindAll": "rsN:q", "regexReplaceAll": "rse:s", "mustRegexReplaceAll": "rse:s", "regexReplaceAllLiteral": "rse:s",
		"mustRegexReplaceAllLiteral": "rse:s", "regexSplit": "rsN:q", "mustRegexSplit": "rsN:q", "regexQuoteMeta": "s:r",
		"getHostByName": "s:s",
		// dates
		"date": "LD:s", "date_in_zone": "LDz:s", "dateInZone": "LDz:s", "dateModify": "dY:a", "date_modify": "dY:a", "mustDateModify": "dY:a",
		"must_date_modify": "dY:a", "duration": "n:s", "durationRound": "E:s", "htmlDate": "D:s", "htmlDateInZone": "Dz:s", "toDate": "Ls:a",
		"mustToDate": "Ls:a", "unixEpoch": "Y:s", "mustToDuration": "E:a", "durationSeconds": "E:f", "durationMilliseconds": "E:n",
		"durationMicroseconds": "E:n", "durationNanoseconds": "E:n", "durationMinutes": "E:f", "durationHours": "E:f", "durationDays": "E:f",
		"durationWeeks": "E:f", "durationRoundTo": "EE:a", "durationTruncateTo": "EE:a",
		// what fails with what is no key
		"buildCustomCert": "hh", "genCAWithKey": "sNs", "genSelfSignedCertWithKey": "sllNs", "genSignedCertWithKey": "sllNas",
		"genPrivateKey": "G", "decryptAES": "sh:s",
		// Helm
		"include": "Ta:s", "tpl": "Ca:s", "lookup": "ssss:m", "$.Files.Get": "p:s", "$.Files.GetBytes": "p", "$.Files.Glob": "P",
		"$.Files.Lines": "p:q", "$.Files.AsConfig": ":s", "$.Files.AsSecrets": ":s", "$.Capabilities.APIVersions.Has": "s:b",
		"$.Values.Table": "k:m", "$.Values.PathValue": "k:a", "$.Values.AsMap": ":m", "$.Values.YAML": ":s",
	},
	Common: []string{"default", "include", "toYaml", "nindent", "printf", "quote", "tpl", "eq", "not", "and", "or", "dict", "list", "get",
		"hasKey", "index", "len", "ternary", "toJson", "fromYaml", "trunc", "trimSuffix", "replace", "b64enc", "lower", "int", "kindIs",
		"regexReplaceAll", "merge", "join", "empty", "required", "coalesce", "print"},
	Operands: map[rune][]string{
		'a': {"$.Values.s", "$.Values.e", "$.Values.n", "$.Values.t", "$.Values.i", "$.Values.f", "$.Values.big", "$.Values.neg", "$.Values.l",
			"$.Values.o", "$.Values.q", "$.Values.m", "$.Values.m.b", "$.Values.m.b.c", "$.Values.d", "$.Values.y", "$.Values.missing",
			"$.Values.r1", "$.Values.r2", "$.Values.r3", "$.Values.r1", "$.Values.r2", "$.Values.r3", "$.Values.set", "$.Values.set.i", "$.Values.set.l",
			"$.Values", "$.Chart", "$.Chart.Name", "$.Release", "$.Release.Name", "$.Release.Revision", "$.Release.IsInstall",
			"$.Capabilities.KubeVersion", "$.Capabilities.KubeVersion.Minor", "$.Capabilities.HelmVersion.Version", "$.Template", "$.Template.Name",
			"$.Files", `($.Files.Glob "files/*")`, "$.Subcharts", `(semver "1.2.3-rc.1+m")`, `(toDate "2006-01-02" "2024-02-29")`,
			`(mustToDuration "90m")`, "nil", "1", "2.5", `"text"`, `"2"`, "true", "(int 5)", "(list)", "(dict)", `(b64dec "//79")`,
			`($.Files.GetBytes "files/a.txt")`, "(until 3)", `(splitList "," "a,b")`, `(split "," "a,b")`, `(urlParse "https://h/p")`},
		'b': {"true", "false", "$.Values.t", "(eq 1 1)", "(empty $.Values.e)"},
		'c': {`"*"`, `"^1.2.0"`, `">=1.0.0-0 <2"`, `"~1.2 || 3.x"`, `"!=1.2.3"`, `"1.2.3"`, `"nope"`, `""`, `"1 - 2"`, `"<= 1.27-0"`},
		'd': {`"1h30m"`, `"-90s"`, `"1.5h"`, `"0"`, `"x"`, `"1d"`, `"-0.000001s"`, `"100us"`},
		'e': {`"<$1>"`, `"${1}x"`, `"$$"`, `""`, `"${nope}"`, `"$2$1"`, `"$1x"`, `"x"`},
		'f': {"1.5", "$.Values.f", "2.0", "1e3", "0.1", "1e21", "-0.5", "1e-7", "123456.789", "0.5"},
		'h': {`"aGVsbG8="`, `"aGk"`, `""`, `"//79"`, `"====="`, `"aGVsbG8=\n"`, `"a-_="`},
		'i': {"1", "0", "2", "-1", "$.Release.Revision", "(int $.Values.i)", "'a'", "7", "(len $.Values.s)"},
		'j': {`"{\"a\": [1, 2.5, null, \"x\"]}"`, `"[]"`, `"[1, {\"b\": true}]"`, `"{"`, `""`, `"null"`, `"\"t\""`, `"1e400"`, `"{\"a\":1,\"a\":2}"`,
			`"{\"\\ud800\": \"\\u00e9<\"}"`, `"12345678901234567890"`, `"[1 2]"`, "$.Values.j", `"{\"a\":1} x"`},
		'k': {`"a"`, `"b"`, `"c"`, `"k"`, `"new"`, `""`, `"z"`, `"b.c"`, `"missing"`, `"m"`, "$.Values.s"},
		'l': {"$.Values.l", "$.Values.o", "$.Values.q", "(list 3 1 2)", "(list)", `(list "b" "a" nil)`, "$.Values.set.l", `(tuple 1 "1" 1.0)`,
			"(until 4)", `(splitList "," "c,a,b")`, `(list (list 1) (dict "a" 1) (list 1))`, "$.Values.r3"},
		'm': {"$.Values.m", "$.Values.m.b", "$.Values.d", `(dict "a" 1 "b" (dict "c" "x"))`, "(dict)", `(dict "k" "v")`, "$.Values.set",
			`(dict "a" nil "z" (list 1 2))`, `(dict "b" (dict "c" 1 "d" (list "e")))`, "$.Values.r2"},
		'n': {"1", "0", "-3", "2.5", `"7"`, `"-1.5"`, `"0x10"`, `"abc"`, `""`, "nil", "true", "$.Values.i", "$.Values.f", "$.Values.big", "$.Values.neg",
			"$.Values.s", `"010"`, `"1e3"`, "1e3", "100", "(int64 5)", "$.Values.set.i", "$.Values.set.big", "9", `" 1"`, `"1_000"`, "3"},
		'o': {`"NBUQ===="`, `"NBUQ"`, `""`, `"nbuq===="`, `"1"`, `"PQ======"`},
		'p': {`"/a/b/../c.txt"`, `"a//b/./c"`, `""`, `"."`, `".."`, `"/"`, `"files/a.txt"`, `"files/b.yaml"`, `"a.tar.gz"`, `".bashrc"`, `"x/"`, `"é/ü"`, `"missing"`},
		'q': {"$.Values.q", `(list "z" "y" "x")`, `(splitList "/" "a/b/c")`, "(keys $.Values.m | sortAlpha)", "(values $.Values.m.b | sortAlpha)",
			`(list "a" "b" "a")`, `(keys (dict "k" 1) (dict "k" 2))`},
		'r': {`"a+"`, `"(a)(b)?"`, `"^\\w+$"`, `"[^a-z]+"`, `""`, `"("`, `"(?i)TEXT|x*?"`, `"\\s+"`, `"[[:alpha:]]{2,3}"`, `"\\pL"`, `"(?P<n>.)."`, `"."`, `"\\bt"`, `"$"`, `"é|."`, `"(?s:.)$"`, `"a**"`, `"-"`},
		's': {`"a"`, `"text"`, `"x"`, "$.Values.s", "$.Values.e", `"raw-text_x.y"`, `"é<>&'\""`, `"a b  c"`, `"a\nb\n"`, `"a,b,c"`, `"yes"`, `"1.5"`, `"  pad "`,
			`"日本語"`, `"a: b"`, `"/x/y"`, `"Hello World"`, `"aaa"`, `""`, "$.Values.r1", "$.Release.Name", "$.Values.y", `"%d"`, "$.Chart.Version",
			`(b64dec "//79")`, `"map"`, `"string"`, `"slice"`, `"float64"`, `"*semver.Version"`, `"v1"`, `"2024-02-29"`},
		't': {`"a = 1\n[b]\nc = [1, 2]\nd = 2024-02-29T01:02:03Z\n"`, `""`, `"a ="`, `"a = {b = 1.5, c = \"x\"}"`, `"[[x]]\ny = true\n[[x]]\n"`, `"a = 1\na = 2"`, `"a = inf\nb = nan\nc = 0x1F"`, `"t = 07:32:00\nd = 1979-05-27"`},
		'u': {`"https://user:pa%20ss@host.example:8443/a/b%2Fc?q=1&r=#frag"`, `"/rel/path"`, `""`, `"mailto:a@b"`, `"://x"`, `"http://[::1]:80/"`, `"a b"`, `"%zz"`, `"//h/p"`, `"http://h?q"`},
		'v': {`"1.2.3"`, `"v1.27.4-gke.900"`, `"1.2"`, `"3"`, `"1.2.3-rc.1+meta"`, `"x"`, `""`, "$.Chart.Version", "$.Capabilities.KubeVersion.Version", `"01.2.3"`},
		'w': {`"hello world"`, `"HTTPServer_name-2x"`, `"fooBarBaz"`, `"Über straße ǆ"`, `""`, `"a"`, `"  two  spaces "`, `"snake_case__x"`, `"ABC1Def"`, `"İı ſ"`, `"line one\nline two is longer than the others"`, "$.Values.s", `"日本 go"`, `"x-Y_z.w"`, `"\t tab"`},
		'x': {`","`, `""`, `"-"`, `"/"`, `" "`, `", "`, `"a"`, `"\n"`},
		'y': {`"a: 1\nb: [x, {c: d}]\n"`, `"- 1\n- a: b\n"`, `""`, `"a: b: c"`, `"yes"`, `"null"`, `"a: &x {b: 1}\nc: *x\n"`, `"a: 0o17\nb: 0777\nc: 1_000\nd: .inf\n"`, `"a: |\n  x\n  y\n"`,
			`"? [a]\n: 1"`, `"1: 2\ntrue: 3\n"`, `"a: 2001-01-01\n---\nb: 1"`, `"{a: 1, a: 2}"`, `"\ta: 1"`, "$.Values.y", `"a: !!str 1\nb: ~\nc: \"\\u00e9\""`, `"<<: {x: 1}\ny: 2"`},
		'z': {`"UTC"`, `""`, `"Europe/Berlin"`, `"America/New_York"`, `"Asia/Kathmandu"`, `"nope"`, `"Local"`},
		'N': {"0", "1", "2", "3", "5", "-1", "8", "12", "20", "-3", "4", "80"},
		// Beyond its length a slice may have a capacity.
		'I': {"0", "1", "2", "-1"},
		'D': {`(toDate "2006-01-02T15:04:05Z07:00" "2026-03-04T05:06:07Z")`, `(toDate "2006-01-02" "2024-02-29")`, "1700000000", "0", "(int64 86399)", "-1",
			`(toDate "2006" "nope")`, `(toDate "2006-01-02 15:04:05.999 -0700" "1999-12-31 23:59:59.5 +0530")`, "(int $.Values.i)"},
		'Y': {`(toDate "2006-01-02T15:04:05Z07:00" "2026-03-04T05:06:07.891Z")`, `(toDate "2006-01-02" "2024-02-29")`, `(toDate "2006" "x")`, `(toDate "15:04" "23:59")`},
		'L': {`"2006-01-02"`, `"Mon Jan _2 15:04:05 2006"`, `"2006-01-02T15:04:05.999999999Z07:00"`, `"02 Jan 06 15:04 MST"`, `"3:04PM"`, `"Monday, 02-Jan-06 .000 -0700"`, `""`, `"__2 002 1 01 Z0700"`, `"20060102150405"`, `"literal"`},
		'E': {`"1h30m"`, `"90s"`, `"-5m"`, `"x"`, `""`, "90", "(int64 3600000000000)", `"1.5h"`, "nil", "2.5", `"400h"`, `"9000h"`, "$.Values.i", `"100"`, "true"},
		'M': {"$.Values.m", "$.Values.d", "$.Values.m.b", "(dict)", `(dict "a" 1 "b" (dict "c" "x"))`, `(dict "z" nil)`, "$.Values.set"},
		'K': {`"k"`, `"new"`, `""`, `"a"`, `"b"`},
		'V': {"1", "nil", `"v"`, "$.Values.i", "2.5", "true", "$.Values.o", `(list "x")`, `(dict "deep" 1)`},
		'U': {`(dict "scheme" "https" "host" "h:1" "path" "/p" "query" "a=1" "fragment" "f" "userinfo" "u:p")`, `(dict "host" "h" "path" "p")`, "(dict)", `(urlParse "http://u@h/p?q#f")`,
			`(dict "scheme" "x" "opaque" "o")`, `(dict "host" 1)`, `(dict "scheme" "http" "host" "h" "path" "a b?c")`},
		'C': {`"{{ . }}"`, `"{{ .Values.s | upper }}"`, `"{{ include \"D\" . }}"`, `"plain"`, `""`, `"{{ nope }}"`, `"{{ .a.b.c }}"`, `"{{ range . }}{{ . }};{{ end }}"`,
			`"{{ define \"X\" }}x{{ . }}{{ end }}{{ template \"X\" . }}"`, `"{{ toYaml . }}"`, `"{{ if }}"`, `"{{ tpl \"{{ . }}\" . }}"`, `"{{ fail \"no\" }}"`, "$.Values.s", "$.Values.tpl", `" {{- . -}} "`},
		'G': {`"nope"`, `"RSA"`},
		'P': {`"files/*"`, `"**"`, `"*.txt"`, `"files/?.{txt,yaml}"`, `"["`, `""`},
	},
	Heads: []string{"$.Values.l", "$.Values.m", "3", "$.Values.q", `(list 1 2 "x")`, "$.Values.d", "$.Values.o", "$.Values.r2", "$.Values.r3", "(until 3)",
		`(dict "a" 1 "b" 2)`, `(splitList "," "a,b")`, "$.Values.n", "$.Values.missing", `($.Files.Glob "files/*")`, "$.Values.s", "$.Values.i", `(split "," "a,b")`},
	// Numbers in values are as large as they like.
	HeadsAlone: true,
	Fields: []string{"Values", "Values.s", "Values.m", "Values.l", "Values.m.b", "Chart", "Chart.Name", "Release", "a", "b", "c", "k", "missing", "Files",
		"Values.r1", "Values.n.x", "Values.set.i", "Name", "X"},
}

// pieces call what is different at each call, or takes long, in ways that are not.
var pieces = []string{
	`{{ randAlpha 5 | len }} {{ randAlphaNum 12 | len }} {{ randNumeric 3 | len }} {{ randAscii 7 | len }} {{ randAlpha 0 }}`,
	`{{ randAlpha -1 }}`, `{{ randNumeric 3 | regexMatch "^[0-9]{3}$" }} {{ randAlpha 9 | regexMatch "^[A-Za-z]{9}$" }}`,
	`{{ randAlphaNum 30 | regexMatch "^[A-Za-z0-9]{30}$" }} {{ randAscii 40 | regexMatch "^[ -~]{40}$" }}`,
	`{{ randBytes 10 | b64dec | len }} {{ randBytes 0 }}`, `{{ randInt 3 4 }}`, `{{ randInt 4 3 }}`, `{{ randInt 3 3 }}`,
	`{{ uuidv4 | regexMatch "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$" }}`,
	`{{ shuffle "aaaa" }} {{ shuffle "" }} {{ shuffle "é" }} {{ shuffle "abc" | len }}`,
	`{{ now | kindOf }} {{ typeOf now }} {{ now | date "x" }} {{ ago now }} {{ now | htmlDate | len }} {{ now | unixEpoch | len }}`,
	`{{ keys .Values.m | sortAlpha }} {{ values .Values.m.b | len }} {{ keys (dict) }} {{ values (dict "a" 1) }} {{ keys (dict "a" 1) (dict "a" 2) }}`,
	`{{ keys .Values.s }}`, `{{ values nil }}`, `{{ keys nil }}`,
	`{{ bcrypt "x" | len }} {{ bcrypt "x" | trunc 7 }}`, `{{ htpasswd "user" "x" | trunc 12 }}`, `{{ htpasswd "us:er" "x" }}`, `{{ bcrypt (repeat 73 "x") }}`,
	`{{ derivePassword 1 "long" "password" "user" "example.com" }} {{ derivePassword 2 "maximum" "p" "u" "s" }} {{ derivePassword 1 "nope" "p" "u" "s" }}`,
	`{{ derivePassword 3 "pin" "é" "" "" }} {{ derivePassword 0 "basic" "a" "b" "c" }} {{ derivePassword 9 "short" "a" "b" "c" }} {{ derivePassword 1 "medium" "a" "b" "c" }}`,
	`{{ genPrivateKey "ecdsa" | trunc 30 }} {{ genPrivateKey "ed25519" | trunc 27 }}`, `{{ genPrivateKey "nope" }}`,
	`{{ $ca := genCA "a" 1 }}{{ $ca.Cert | trunc 27 }} {{ $ca.Key | trunc 31 }} {{ kindOf $ca }} {{ typeOf $ca }}`,
	`{{ $k := genPrivateKey "ecdsa" }}{{ $ca := genCAWithKey "a" 1 $k }}{{ $c := genSignedCertWithKey "b" (list "127.0.0.1") (list "x") 1 $ca $k }}{{ eq $c.Key $k }} {{ $c.Cert | trunc 27 }}`,
	`{{ $k := genPrivateKey "ed25519" }}{{ $c := genSelfSignedCertWithKey "a" (list) (list "x") 1 $k }}{{ eq $c.Key $k }} {{ $d := buildCustomCert ($c.Cert | b64enc) ($c.Key | b64enc) }}{{ eq $c.Cert $d.Cert }}`,
	`{{ $c := genSelfSignedCert "a" nil nil 1 }}{{ $c.Cert | trunc 27 }}`, `{{ $ca := genCA "a" 1 }}{{ (genSignedCert "b" nil nil 1 $ca).Key | trunc 31 }}`,
	`{{ genSelfSignedCert "a" (list "nope") nil 1 }}`, `{{ genSelfSignedCert "a" (list 1) nil 1 }}`, `{{ genSelfSignedCert "a" nil (list 1) 1 }}`, `{{ genSignedCert "a" nil nil 1 "x" }}`,
	`{{ encryptAES "key" "text" | decryptAES "key" }} {{ encryptAES "key" "text" | b64dec | len }}`, `{{ encryptAES "" "" | decryptAES "" }}`, `{{ decryptAES "key" "bm9wZQ==" }}`, `{{ decryptAES "key" "%" }}`,
	`{{ env "HOME" }}`, `{{ expandenv "$HOME" }}`,
}
