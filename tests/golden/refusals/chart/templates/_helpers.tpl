{{- define "inner" -}}
{{ .Values.none.deeper }}
{{- end -}}
{{- define "outer" -}}
  {{ include "inner" . }}
{{- end -}}
{{- define "failing" }}{{ fail (printf "failed with %d" .) }}{{ end -}}
{{- define "loop" }}{{ include "loop" . }}{{ end -}}
{{- define "native" }}{{ template "native-inner" . }}{{ end -}}
{{- define "native-inner" }}{{ .text.more }}{{ end -}}
