{{ define "younger.word" }}{{ .Values.word }}-{{ .Values.global.house }}{{ end }}
