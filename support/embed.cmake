# Writes OUT: the text of FILE as the C++ string NAME of the namespace bpc.
file(READ ${FILE} text)
file(WRITE ${OUT} "namespace bpc {\n\nextern const char* const ${NAME};\nconst char* const ${NAME} = R\"bpc_text(${text})bpc_text\";\n\n}  // namespace bpc\n")
