{{- define "objects.name" -}}
{{ .Release.Name }}-{{ .Chart.Name }}
{{- end }}
this partial is never printed
