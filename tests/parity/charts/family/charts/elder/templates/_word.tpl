{{ define "elder.word" }}{{ .Values.word }}-{{ .Values.global.house }}{{ end }}
