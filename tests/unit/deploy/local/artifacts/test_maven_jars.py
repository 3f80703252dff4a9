from deploy.local.artifacts.maven_jars import listed_jars


def test_a_listed_jar_s_file_is_named_by_artifact_version_and_classifier() -> None:
    plain, classified = listed_jars("g.g:a:1 00\ng.g:a:1:linux 11\n")

    assert (plain.file, classified.file) == ("a-1.jar", "a-1-linux.jar")
