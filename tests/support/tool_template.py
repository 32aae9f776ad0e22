"""A small chat template that knows tools, in the form of Hermes and Qwen 2.5."""

TOOL_TEMPLATE = """\
{%- macro turn(role) -%}{{ '<|im_start|>' + role + '\\n' }}{%- endmacro -%}
{%- if tools -%}
{{- turn('system') + 'Tools:' -}}
{%- for tool in tools -%}{{- '\\n' + tool.function | tojson -}}{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{{- turn(message.role) + message.content -}}
{%- for call in message.tool_calls or [] -%}
{{- '\\n' if message.content or not loop.first else '' -}}
{{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' -}}
{{- call.function.arguments | tojson + '}\\n</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- turn('assistant') -}}{%- endif -%}
"""
