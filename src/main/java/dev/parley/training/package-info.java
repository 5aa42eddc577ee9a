/**
 * The training run, which the container image's build plays once: the JVM writes down which classes
 * the program uses and how often its methods run, so that pods start with that knowledge. It uses
 * the JDK alone, and nothing of the program uses it.
 */
@NullMarked
package dev.parley.training;

import org.jspecify.annotations.NullMarked;
